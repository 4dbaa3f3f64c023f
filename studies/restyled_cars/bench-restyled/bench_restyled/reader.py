"""All models of a folder of renders, whatever its lists say: what is scored are other cars."""

from benchmark.datasets.readers.model_views import ModelViews


class Views(ModelViews):
    """`ModelViews` with 60 views and the split "all".

    Renders that are not there yet (those that a translation will make) have no samples to list.
    """

    views = 60
    splits = ("all", *ModelViews.splits)

    def samples(self, split):
        parts = ModelViews.splits if split == "all" else [split]
        return [sample for part in parts for sample in super(Views, self).samples(part)]
