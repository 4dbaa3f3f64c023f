"""The data sets bench reads: where they come from, under which terms, how they must lie."""

from __future__ import annotations

from benchmark.contracts.dataset import DatasetSpec
from benchmark.datasets.generation_specs import GENERATION

YTF68 = DatasetSpec(
    id="ytf68",
    implementation="benchmark.datasets.ytf68:Ytf68",
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
    implementation="benchmark.datasets.celeba:Celeba",
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
    expected={"dve/unlabelled": 146_501, "mafl/train": 19_000, "mafl/test": 1_000},
)

AFLW_M = DatasetSpec(
    id="aflw_m",
    implementation="benchmark.datasets.aflw:AflwM",
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
    implementation="benchmark.datasets.aflw:AflwR",
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
    implementation="benchmark.datasets.w300:W300",
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

DATASETS: tuple[DatasetSpec, ...] = (YTF68, CELEBA, AFLW_M, AFLW_R, W300, *GENERATION)
