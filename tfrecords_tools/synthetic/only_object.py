"""Datasets that annotate one object an image, and no more."""

from tfrecords_tools.synthetic.native.base import NativeImage, NativeObject


def only_object(image: NativeImage) -> NativeObject:
    """The image's object.

    Raises: ValueError if it has none or several.
    """
    if len(image.objects) != 1:
        raise ValueError(
            f"An image of this dataset must hold one object. Received: "
            f"{len(image.objects)}"
        )
    return image.objects[0]
