"""The data sets bench reads: where they come from, under which terms, how they must lie."""

from __future__ import annotations

from dataclasses import replace

from benchmark.contracts.dataset import DatasetSpec
from benchmark.datasets.generation_specs import GENERATION

YTF68 = DatasetSpec(
    id="ytf68",
    implementation="benchmark.datasets.readers.ytf68:Ytf68",
    summary="4,232 video frames of 347 faces with 68 points, from YouTube Faces",
    homepage="https://github.com/udacity/P1_Facial_Keypoints",
    terms="the repository states MIT; the frames are from YouTube Faces (research use), so do not "
    "publish the pictures",
    obtain="The folder `data` of the repository at commit 6e55adc6bd032d9fb1ad41a4c3e68aae847cdf81 "
    "(one archive of 350 MB, of which 250 MB are kept).",
    layout="""\
    data/training_frames_keypoints.csv    header and 3,462 rows
    data/test_frames_keypoints.csv        header and 770 rows
    data/training/NAME.jpg                3,462 frames
    data/test/NAME.jpg                    770 frames (the 1,538 without points may lie there too)""",
    downloadable=True,
    expected={
        "people/train": 3375,
        "people/test": 857,
        "people/validation": 676,
        "people/development": 2699,
        "published/train": 3462,
        "published/test": 770,
        "all": 4232,
    },
)

CELEBA = DatasetSpec(
    id="celeba",
    implementation="benchmark.datasets.readers.celeba:Celeba",
    summary="CelebA, aligned, with the MAFL lists: 202,599 faces, 20,000 with five landmarks to use",
    homepage="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    terms="non-commercial research only; its images may not be passed on",
    obtain="Take from the home page the aligned and cropped images (img_align_celeba.zip), "
    "list_landmarks_align_celeba.txt and list_eval_partition.txt, and from "
    "https://github.com/zhzhanp/TCDCN-face-alignment (folder MAFL) training.txt and testing.txt.",
    layout="""\
    Img/img_align_celeba/NNNNNN.jpg            202,599 images of 178 × 218 pixels
    Anno/list_landmarks_align_celeba.txt
    Eval/list_eval_partition.txt
    MAFL/training.txt                          19,000 names
    MAFL/testing.txt                           1,000 names""",
    expected={
        "dve/unlabelled": 146_501,
        "zhang/unlabelled": 161_962,
        "mafl/train": 19_000,
        "mafl/test": 1_000,
    },
)

CELEBA_WILD = DatasetSpec(
    id="celeba_wild",
    implementation="benchmark.datasets.readers.celeba_wild:CelebaWild",
    summary="CelebA in the wild: 45,609, 5,379 and 283 photographs with a large face",
    homepage="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    terms="non-commercial research only; its images may not be passed on",
    obtain="Take from the home page the images in the wild (img_celeba.7z), list_landmarks_celeba.txt, "
    "list_bbox_celeba.txt and list_eval_partition.txt, and from "
    "https://github.com/zhzhanp/TCDCN-face-alignment (folder MAFL) training.txt and testing.txt. "
    "list_imsize_celeba.txt of https://github.com/xingzhehe/GANSeg (data/celeba_wild_raw) spares the "
    "reading of 182,000 image sizes.",
    layout="""\
    Img/img_celeba/NNNNNN.jpg                  202,599 images of many sizes
    Anno/list_landmarks_celeba.txt
    Anno/list_bbox_celeba.txt
    Anno/list_imsize_celeba.txt                (may be absent)
    Eval/list_eval_partition.txt
    MAFL/training.txt                          19,000 names
    MAFL/testing.txt                           1,000 names""",
    expected={
        "scops/unlabelled": 45_609,
        "scops/train": 5_379,
        "scops/test": 283,
        "mafl/train": 19_000,
        "mafl/test": 1_000,
    },
)

AFLW_M = DatasetSpec(
    id="aflw_m",
    implementation="benchmark.datasets.readers.aflw:AflwM",
    summary="AFLW_M: AFLW in MTFL's crops, five landmarks, 10,122 and 2,995 faces",
    homepage="https://mmlab.ie.cuhk.edu.hk/projects/TCDCN.html",
    terms="AFLW's: non-commercial research only, agreed with its publisher (TU Graz); its images "
    "may not be passed on",
    obtain="Ask for AFLW at https://www.tugraz.at/institute/icg/research/team-bischof/lrs/downloads/"
    "aflw/. Take MTFL.zip from the home page, and the training crops from the data folder that "
    "https://github.com/jamt9000/DVE (misc/datasets/aflw-mtfl) names.",
    layout="""\
    aflw_cropped/facedata_cropped.csv          its rows with set 1 are the 10,122 for training
    aflw_cropped/cropped/NNNNN.jpg
    MTFL/testing.txt                           2,995 lines
    MTFL/AFLW/NNNN-imageNNNNN.jpg""",
    expected={"train": 10_122, "test": 2_995},
)

AFLW_R = DatasetSpec(
    id="aflw_r",
    implementation="benchmark.datasets.readers.aflw:AflwR",
    summary="AFLW_R: AFLW in tight crops, five landmarks, 10,122 and 2,991 faces",
    homepage="https://github.com/YutingZhang/lmdis-rep",
    terms="AFLW's: non-commercial research only, agreed with its publisher (TU Graz); its images "
    "may not be passed on",
    obtain="Ask for AFLW at https://www.tugraz.at/institute/icg/research/team-bischof/lrs/downloads/"
    "aflw/. The crops (aflw_release-2) are those of the home page's release; "
    "https://github.com/jamt9000/DVE (misc/datasets/aflw-recrop) names another copy.",
    layout="""\
    aflw_release-2/aflw_train_images.txt       10,122 paths under output
    aflw_release-2/aflw_test_images.txt        2,991 paths under output, some of them twice
    aflw_release-2/aflw_train_keypoints.mat
    aflw_release-2/aflw_test_keypoints.mat
    aflw_release-2/output/{0,2,3}/imageNNNNN_NNNNN.jpg""",
    expected={"train": 10_122, "test": 2_991},
)

W300 = DatasetSpec(
    id="w300",
    implementation="benchmark.datasets.readers.w300:W300",
    summary="300-W: 3,148 and 689 faces with 68 landmarks and boxes",
    homepage="https://ibug.doc.ic.ac.uk/resources/300-W/",
    terms="research only; each of its parts (AFW, Helen, LFPW, IBUG) keeps its own terms",
    obtain="Take AFW, Helen, LFPW, IBUG and the bounding boxes from "
    "https://ibug.doc.ic.ac.uk/resources/facial-point-annotations/.",
    layout="""\
    Bounding Boxes/bounding_boxes_{afw,helen_trainset,helen_testset,lfpw_trainset,lfpw_testset,ibug}.mat
    afw/, helen/{trainset,testset}/, lfpw/{trainset,testset}/, ibug/
                                               images, each with a .pts file of the same name""",
    expected={"train": 3_148, "test": 689},
)

SHAPENET = DatasetSpec(
    id="shapenet",
    implementation="benchmark.datasets.readers.shapenet:ShapeNet",
    summary="ShapeNet cars, chairs and planes: five rendered views of each model, cameras, clouds",
    homepage="https://github.com/eldar/differentiable-point-clouds",
    terms="ShapeNet's: non-commercial research and education only; its models and renders may not "
    "be passed on",
    obtain="Take from the home page's data folder the renders (download_train_data.sh), the true "
    "clouds (download_ground_truth.sh, or generate_ground_truth.sh and downsample_ground_truth.sh "
    "with the OBJ files of https://shapenet.org, version 1) and splits/*.txt. A class that is not "
    "there is only missed by its own protocol. TFRecords and pickled .npy lists are not read: keep "
    "the .png and .mat files they were made from; .mat files of MATLAB 7.3 must be saved as version 7.",
    layout="""\
    splits/SYNSET_{train,val,test}.txt          02958343 cars, 03001627 chairs, 02691156 planes
    renders/SYNSET/MODEL/render_I.png           224 × 224 with alpha, at least five views a model
    renders/SYNSET/MODEL/camera_I.mat           with `pos`, three numbers
    gt/downsampled/SYNSET/MODEL.mat             with `points` (P, 3), raw OBJ coordinates""",
    expected={
        "cars/train": 26_235,
        "cars/validation": 3_750,
        "cars/test": 7_500,
        "chairs/train": 23_720,
        "chairs/validation": 3_385,
        "chairs/test": 6_780,
        "planes/train": 14_155,
        "planes/validation": 2_020,
        "planes/test": 4_050,
    },
)


CUB = DatasetSpec(
    id="cub",
    implementation="benchmark.datasets.readers.cub:Cub",
    summary="CUB-200-2011: 11,788 birds with 15 points and segmentations, in ReDO's split",
    homepage="https://www.vision.caltech.edu/datasets/cub_200_2011/",
    terms="non-commercial research and education only; the pictures belong to their photographers",
    obtain="Take CUB_200_2011.tgz and segmentations.tgz from the home page, and "
    "train_val_test_split.txt from https://github.com/mickaelChen/ReDO (datasplits/cub).",
    layout="""\
    CUB_200_2011/images.txt                    11,788 lines: number, path
    CUB_200_2011/images/NNN.Species/*.jpg
    CUB_200_2011/parts/part_locs.txt           176,820 lines: number, part, x, y, visible
    segmentations/NNN.Species/*.png
    train_val_test_split.txt                   11,788 lines: number, code""",
    expected={"redo/train": 10_000, "redo/validation": 788, "redo/test": 1_000},
)

FLOWERS = DatasetSpec(
    id="flowers",
    implementation="benchmark.datasets.readers.flowers:Flowers102",
    summary="Oxford's 102 flowers with segmentations, 8,189 pictures",
    homepage="https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
    terms="research; the pictures belong to their photographers",
    obtain="Take 102flowers.tgz, 102segmentations.tgz and setid.mat from the home page.",
    layout="""\
    jpg/image_NNNNN.jpg                        8,189 pictures
    segmim/segmim_NNNNN.jpg                    the same with a blue background
    setid.mat""",
    expected={"redo/train": 6_149, "redo/validation": 1_020, "redo/test": 1_020},
)

FLOWERS17 = DatasetSpec(
    id="flowers17",
    implementation="benchmark.datasets.readers.flowers:Flowers17",
    summary="1,360 flowers of 17 kinds at 256 × 256, 846 of them with label maps",
    homepage="https://github.com/jxng1/flower-segmentation",
    terms="the repository states Apache-2.0; the pictures are Oxford's 17 flowers (research use), so do "
    "not publish them",
    obtain="The folder `source/data` of the repository at commit "
    "77346eca507654746854a11c85cf9c82acc671ea, as `data`.",
    layout="""\
    data/images_256/image_NNNN.jpg             1,360 pictures
    data/labels_256/image_NNNN.png             846 label maps""",
    expected={"train": 1_136, "test": 155, "validation": 123, "development": 1013},
)

TAICHI_MASKS = DatasetSpec(
    id="taichi_masks",
    implementation="benchmark.datasets.readers.taichi_masks:TaichiMasks",
    summary="Tai-Chi: frames of 3,049 training clips, 300 test frames with foreground",
    homepage="https://github.com/AliaksandrSiarohin/motion-cosegmentation",
    terms="research; the videos belong to their makers",
    obtain="Make the clips with https://github.com/AliaksandrSiarohin/video-preprocessing (taichi, "
    "256 × 256, as frames); the home page's README links eval_images, its issue 32 the test masks.",
    layout="""\
    train/CLIP/*.png                           the frames of each training clip in a folder
    eval_images/taichi-256/test/NNNNN.png      300 frames
    taichi-test-masks/NNNNN.png                300 masks, 255 on the person""",
    expected={"test": 300},
)

CC0_CARS = DatasetSpec(
    id="cc0_cars",
    implementation="benchmark.datasets.readers.cc0_cars:Cc0Cars",
    summary="17 cars of Kenney's car kit: 20 views of each, which bench draws, cameras, clouds",
    homepage="https://kenney.nl/assets/car-kit",
    terms="CC0",
    publishable=True,
    obtain="Take the car kit, version 3.1. Its OBJ files are drawn when the data set is first asked "
    "for, in half a minute of one core, into the folder `rendered` of $BENCH_HOME.",
    layout="""\
    Models/OBJ format/MODEL.obj, MODEL.mtl      25 vehicles, of which 17 are used
    Models/OBJ format/Textures/colormap.png     their colours""",
    expected={"train": 200, "validation": 60, "test": 80},
    folder="cars",
)

CC0_CARS_DENSE = replace(
    CC0_CARS,
    id="cc0_cars_dense",
    implementation="benchmark.datasets.readers.cc0_cars:Cc0CarsDense",
    summary="the cars of cc0_cars from 60 other sides each, for fits",
    expected={"train": 600, "validation": 180, "test": 240},
)

CC0_CARS_CORNERS = replace(
    CC0_CARS,
    id="cc0_cars_corners",
    implementation="benchmark.datasets.readers.box_corners:Cc0CarsCorners",
    summary="the cars of cc0_cars with the eight corners of their boxes as landmarks",
)

STANFORD_CARS_MASKS = DatasetSpec(
    id="stanford_cars_masks",
    implementation="benchmark.datasets.readers.stanford_cars:StanfordCarsMasks",
    summary="Stanford Cars: 16,185 photographs, with masks of your own making",
    homepage="https://ai.stanford.edu/~jkrause/cars/car_dataset.html",
    terms="research; the pictures belong to their photographers",
    obtain="Take car_ims.tgz (the photographs of both parts, numbered through) and segment them with a "
    "detector of your choice; no masks are published, so boards tell them apart by their digest.",
    layout="""\
    car_ims/NNNNNN.jpg                         16,185 photographs
    masks/NNNNNN.png                           a mask each, 255 on the car; none where there is none""",
)

TAICHI = DatasetSpec(
    id="taichi",
    implementation="benchmark.datasets.readers.taichi:Taichi",
    summary="Tai-Chi: frames of training clips, 5,000 and 300 frames with 18 joints",
    homepage="https://github.com/AliaksandrSiarohin/motion-cosegmentation",
    terms="labels CC BY-NC 4.0; the videos belong to their makers, research only",
    obtain="Make the clips with https://github.com/AliaksandrSiarohin/video-preprocessing (taichi, "
    "256 × 256, as frames); the home page has the landmarks and links eval_images.",
    layout="""\
    train/CLIP/*.png                           the frames of each training clip in a folder
    eval_images/taichi-256/train/NNNNN.png     5,000 frames
    eval_images/taichi-256/test/NNNNN.png      300 frames
    landmarks/taichi_train_gt.pkl              (or .npz with the arrays value and file_name)
    landmarks/taichi_test_gt.pkl""",
    expected={"joints/train": 5_000, "joints/test": 300},
)

CUB_LANDMARKS = DatasetSpec(
    id="cub_landmarks",
    implementation="benchmark.datasets.readers.cub_landmarks:CubLandmarks",
    summary="CUB-200-2011: 11,788 birds with boxes and 15 landmarks, in the publisher's split",
    homepage="https://www.vision.caltech.edu/datasets/cub_200_2011/",
    terms="non-commercial research and education only; the pictures belong to their photographers",
    obtain="Take CUB_200_2011.tgz from the home page.",
    layout="""\
    CUB_200_2011/images.txt                    11,788 lines: number, path
    CUB_200_2011/images/NNN.Species/*.jpg
    CUB_200_2011/train_test_split.txt          11,788 lines: number, 1 for training
    CUB_200_2011/bounding_boxes.txt            11,788 lines: number, x, y, width, height
    CUB_200_2011/parts/part_locs.txt           176,820 lines: number, part, x, y, visible""",
    expected={"official/train": 5_994, "official/test": 5_794},
)

DATASETS: tuple[DatasetSpec, ...] = (
    YTF68,
    CELEBA,
    CELEBA_WILD,
    AFLW_M,
    AFLW_R,
    W300,
    CUB,
    CUB_LANDMARKS,
    FLOWERS,
    FLOWERS17,
    TAICHI,
    TAICHI_MASKS,
    STANFORD_CARS_MASKS,
    SHAPENET,
    CC0_CARS,
    CC0_CARS_DENSE,
    CC0_CARS_CORNERS,
    *GENERATION,
)
