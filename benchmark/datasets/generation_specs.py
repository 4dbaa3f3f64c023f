"""The image sets that generators are fitted on: where they come from, how they must lie."""

from __future__ import annotations

from benchmark.contracts.dataset import DatasetSpec

FFHQ = DatasetSpec(
    id="ffhq",
    implementation="benchmark.datasets.readers.image_folders:Ffhq",
    summary="Flickr-Faces-HQ: 70,000 aligned faces",
    homepage="https://github.com/NVlabs/ffhq-dataset",
    terms="each picture keeps its photographer's licence; the set is CC BY-NC-SA 4.0",
    obtain="Take images1024x1024 from the home page (its download_ffhq.py), or make 256-pixel pictures "
    "with `dataset_tool.py --width=256 --height=256 --resize-filter=box` of "
    "https://github.com/NVlabs/stylegan2-ada-pytorch, whose zip is read as it is: its default filter "
    "gives other pictures, whose FID is about 1 higher.",
    layout="""\
    images1024x1024/NN000/NNNNN.png            70,000 pictures of 1024 pixels, or
    ffhq256x256/NNNNN/imgNNNNNNNN.png          70,000 of 256, box-filtered, or
    images1024x1024.zip or ffhq256x256.zip     the same in a zip""",
    expected={
        "all": 70_000,
        "mirrored": 140_000,
        "ada/1k": 1_000,
        "ada/2k": 2_000,
        "ada/10k": 10_000,
    },
)

LSUN_CHURCH = DatasetSpec(
    id="lsun_church",
    implementation="benchmark.datasets.readers.image_folders:LsunChurch",
    summary="LSUN church outdoor: 126,227 photographs whose shorter side is 256",
    homepage="https://www.yf.io/p/lsun",
    terms="research",
    obtain="Download church_outdoor_train_lmdb with https://github.com/fyu/lsun (download.py -c "
    "church_outdoor) and export it (data.py export church_outdoor_train_lmdb --out_dir "
    "church_outdoor_train); the files keep their keys as names.",
    layout="""\
    church_outdoor_train/…/KEY.webp            126,227 pictures, in folders or not, or
    church_outdoor_train.zip                   the same in a zip""",
    expected={"train": 126_227},
)

ANIMALFACE = DatasetSpec(
    id="animalface",
    implementation="benchmark.datasets.readers.image_folders:AnimalFace",
    summary="389 dog and 160 cat faces, as DiffAugment's authors cut them from AnimalFace",
    homepage="https://github.com/mit-han-lab/data-efficient-gans",
    terms="research; the pictures belong to their photographers",
    obtain="Take AnimalFace-dog and AnimalFace-cat from the datasets that the home page names.",
    layout="""\
    AnimalFace-dog/*.jpg or *.png              389 pictures
    AnimalFace-cat/*.jpg or *.png              160 pictures; or AnimalFace-dog.zip,
                                               AnimalFace-cat.zip""",
    expected={"dog": 389, "cat": 160},
)

CUB_IMAGES = DatasetSpec(
    id="cub_images",
    implementation="benchmark.datasets.readers.image_folders:CubImages",
    summary="CUB-200-2011: all 11,788 birds, no labels",
    homepage="https://www.vision.caltech.edu/datasets/cub_200_2011/",
    terms="non-commercial research and education only; the pictures belong to their photographers",
    obtain="Take CUB_200_2011.tgz from the home page. A link to a folder that holds it will do.",
    layout="""\
    CUB_200_2011/images.txt                    11,788 lines: number, path
    CUB_200_2011/images/NNN.Species/*.jpg""",
    expected={"all": 11_788},
)

GENERATION: tuple[DatasetSpec, ...] = (FFHQ, LSUN_CHURCH, ANIMALFACE, CUB_IMAGES)
