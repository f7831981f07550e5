"""What an image file must be: PNG or WebP, whole, and no larger than the metadata says."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from ddb_query.errors import BadImageError

if TYPE_CHECKING:
    from ddb_query.fetch.target.ledger import WantedImage

FORMATS = ("PNG", "WEBP")
_BYTES_A_PIXEL = 8  # 16 bits in each of four channels
_SMALLEST_BOUND = 1 << 20

# Pillow only warns of images from 89 million pixels on; here they are errors like all others.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)


def largest_bytes(image: WantedImage) -> int:
    """The most bytes that the file of an image of such a size can have."""
    return image.width * image.height * _BYTES_A_PIXEL + _SMALLEST_BOUND


def check_picture(image: WantedImage, data: bytes, *, as_published: bool = True) -> None:
    """See that an image decodes.

    Args:
        image: What the metadata says of it.
        data: Its file.
        as_published: Whether it comes from the Hub, which is believed. Other copies must have the
            format and the size that the metadata says: people convert and resize what they keep.

    Raises:
        BadImageError: It does not, or it has more pixels than the metadata says.
    """
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            width, height = picture.size
            same_size = picture.size == (image.width, image.height)
            if width * height > image.width * image.height or not (as_published or same_size):
                problem = f"{width} x {height} pixels, where the metadata says"
                raise BadImageError(image.name, f"{problem} {image.width} x {image.height}")
            if not as_published and not image.name.endswith(f".{picture.format}".lower()):
                raise BadImageError(image.name, f"it is {picture.format}, unlike its name")
            picture.load()
    except UnidentifiedImageError as error:
        raise BadImageError(image.name, "it is neither PNG nor WebP") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise BadImageError(image.name, "it has too many pixels") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        # The types that Pillow's readers raise for damaged files.
        raise BadImageError(image.name, f"it does not decode ({error})") from error
