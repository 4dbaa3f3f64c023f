"""The data sets bench reads: where they come from, under which terms, how they must lie."""

from __future__ import annotations

from benchmark.contracts.dataset import DatasetSpec

YTF68 = DatasetSpec(
    id="ytf68",
    implementation="benchmark.datasets.ytf68:Ytf68",
    summary="4,232 video frames of 347 faces with 68 points, from YouTube Faces",
    homepage="https://github.com/udacity/P1_Facial_Keypoints",
    terms="the repository states MIT; the frames are from YouTube Faces (research use), so do not "
    "publish the pictures",
    obtain="The folder `data` of the repository at commit 6e55adc6bd032d9fb1ad41a4c3e68aae847cdf81.",
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

DATASETS: tuple[DatasetSpec, ...] = (YTF68,)
