"""A picture in the making: colours and, beside them, who owns each pixel.

Both canvases are a few times finer than the picture. Colours are averaged
down, which smooths their edges; of owners one in the middle of each block is
kept. Boxes, visible shares and cut objects are all read off the owners.

Coordinates of a picture: heights, so y runs from 0 to 1 and x from 0 to
`aspect`.
"""

import dataclasses
import io
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageFilter

from tfrecords_tools.synthetic import readout, relief, strokes
from tfrecords_tools.synthetic.affine import IDENTITY, Affine, pose
from tfrecords_tools.synthetic.native.base import NativeImage
from tfrecords_tools.synthetic.paint import Colour
from tfrecords_tools.synthetic.vector import Part, Sketch, moved

FINENESS = 3
"""Fine pixels to a pixel, along each side."""
MIN_VISIBLE = 0.35
"""Share of an object that must stay visible, or it is not annotated."""
MIN_PIXELS = 16
"""Pixels of it that must be visible, or it is not annotated."""
MAX_OBJECTS = 254
_Box: TypeAlias = tuple[int, int, int, int]


@dataclasses.dataclass(frozen=True, slots=True)
class Placed:
    """An object of a picture: its class, its own area, its flags.

    Args:
        area: in fine pixels, hidden and cut-off ones included.
        is_cut: whether a piece of it lies beyond the frame.
    """

    name: str
    area: int
    is_cut: bool
    flags: dict[str, float | str]


class Picture:
    """A canvas to paint and place on.

    Args:
        side: height in pixels.
        aspect: width over height.
        colour: of the empty canvas.
        fineness: fine pixels to a pixel, along each side.
    """

    def __init__(
        self,
        side: int,
        *,
        aspect: float = 1.0,
        colour: Colour = (127,) * 3,
        fineness: int = FINENESS,
    ) -> None:
        self.height = side
        self.width = round(side * aspect)
        self.aspect = self.width / side
        self._fineness = fineness
        size = (self.width * fineness, self.height * fineness)
        self._canvas = Image.new("RGB", size, colour)
        self._owners = Image.new("L", size)
        self._scale = pose(scale=side * fineness)
        self.placed: list[Placed] = []

    def paint(self, sketch: Sketch, where: Affine = IDENTITY) -> None:
        """Paints what is no object; it hides the objects beneath it."""
        parts = self._moved(sketch, where)
        if self.placed:
            mask, corner = strokes.silhouette(parts)
            self._owners.paste(0, corner, mask)
        strokes.draw(self._canvas, parts)

    def gradient(
        self,
        top: Colour,
        bottom: Colour,
        *,
        start: float = 0.0,
        end: float = 1.0,
    ) -> None:
        """Fills rows from height `start` to `end`, under no object yet."""
        low, high = (round(y * self._canvas.height) for y in (start, end))
        shares = np.linspace(0, 1, max(high - low, 1))[:, None, None]
        rows = np.array(top) * (1 - shares) + np.array(bottom) * shares
        strip = Image.fromarray(rows.astype(np.uint8))
        self._canvas.paste(
            strip.resize(
                (self._canvas.width, len(rows)), Image.Resampling.NEAREST
            ),
            (0, low),
        )

    def texture(self, pixels: np.ndarray) -> None:
        """Puts an image (h, w, 3) uint8 behind all, stretched to the frame."""
        image = Image.fromarray(pixels)
        self._canvas.paste(
            image.resize(self._canvas.size, Image.Resampling.BILINEAR)
        )

    def place(
        self,
        name: str,
        sketch: Sketch,
        where: Affine,
        *,
        flags: Mapping[str, float | str] | None = None,
        shading: float = 0.0,
        shadow: float = 0.0,
        least_inside: float = 0.6,
        least_left: float = 0.5,
    ) -> bool:
        """Paints an object, unless it would spoil the picture.

        Args:
            shading: 0 to 1, how much darker its foot is than its head.
            shadow: 0 to 1, strength of a soft shadow below and right.
            least_inside: least share of it inside the frame.
            least_left: least share of any earlier object left visible.
        Returns: whether it was painted; if not, nothing has changed.
        Raises: ValueError if the picture is full.
        """
        if len(self.placed) == MAX_OBJECTS:
            raise ValueError(
                f"A picture holds at most {MAX_OBJECTS} objects. Received: "
                f"one more, {name!r}"
            )
        parts = self._moved(sketch, where)
        mask, corner = strokes.silhouette(parts)
        area = mask.histogram()[strokes.OPAQUE]
        box = (*corner, corner[0] + mask.width, corner[1] + mask.height)
        inside = self._inside(mask, box)
        if not area or inside < least_inside * area:
            return False
        if self._hides(mask, box, least_left):
            return False
        if shadow:
            relief.cast(self._canvas, mask, corner, shadow)
        strokes.draw(self._canvas, parts)
        if shading:
            relief.shade(self._canvas, mask, corner, shading)
        self._owners.paste(len(self.placed) + 1, corner, mask)
        is_cut = inside < area
        self.placed.append(Placed(name, area, is_cut, dict(flags or {})))
        return True

    def finish(
        self,
        rng: np.random.Generator,
        *,
        light: np.ndarray | None = None,
        grain: float = 0.0,
        blur: float = 0.0,
    ) -> np.ndarray:
        """The pixels (height, width, 3) uint8, averaged down, lit, noisy.

        Args:
            light: factors that broadcast to the pixels' shape.
            grain: standard deviation of the noise, of 255.
            blur: radius of a soft focus, pixels.
        """
        small = self._canvas.reduce(self._fineness)
        if blur:
            small = small.filter(ImageFilter.BoxBlur(blur))
        pixels = np.asarray(small)
        if light is None and not grain:
            return pixels
        lit = pixels * np.float32(1 if light is None else light)
        if grain:
            shape = (self.height, self.width, 1)
            lit += rng.standard_normal(shape, dtype=np.float32) * grain
        return np.clip(lit, 0, 255).astype(np.uint8)

    def native(
        self,
        pixels: np.ndarray,
        *,
        png: bool = False,
        flags: Mapping[str, float | str] | None = None,
    ) -> NativeImage:
        """The picture with every object that is visible enough.

        Args:
            pixels: what `finish` returned.
            png: whether to store PNG instead of JPEG.
            flags: of the image as a whole.
        """
        step = self._fineness
        fine = np.asarray(self._owners)
        objects, owners = readout.read(
            self.placed,
            fine_counts=self._owners.histogram(),
            owners=fine[step // 2 :: step, step // 2 :: step],
            min_visible=MIN_VISIBLE,
            min_pixels=MIN_PIXELS,
        )
        return NativeImage(
            encoded=_encode(pixels, png),
            width=self.width,
            height=self.height,
            objects=objects,
            owners=owners,
            flags=dict(flags or {}),
        )

    def _moved(self, sketch: Sketch, where: Affine) -> list[Part]:
        return moved(sketch.parts, self._scale @ where)

    def _inside(self, mask: Image.Image, box: _Box) -> int:
        """Fine pixels of a silhouette that the frame holds."""
        frame = self._canvas.size
        x0, y0 = max(-box[0], 0), max(-box[1], 0)
        x1 = min(mask.width, frame[0] - box[0])
        y1 = min(mask.height, frame[1] - box[1])
        if x1 <= x0 or y1 <= y0:
            return 0
        return mask.crop((x0, y0, x1, y1)).histogram()[strokes.OPAQUE]

    def _hides(self, mask: Image.Image, box: _Box, least_left: float) -> bool:
        """Whether an earlier object would keep too small a share."""
        lost = self._owners.crop(box).histogram(mask)
        touched = [i for i in range(len(self.placed)) if lost[i + 1]]
        if not touched:
            return False
        now = self._owners.histogram()
        return any(
            now[i + 1] - lost[i + 1] < least_left * self.placed[i].area
            for i in touched
        )


def _encode(pixels: np.ndarray, png: bool) -> bytes:
    stream = io.BytesIO()
    image = Image.fromarray(pixels)
    if png:
        image.save(stream, "PNG", compress_level=1)
    else:
        image.save(stream, "JPEG", quality=90)
    return stream.getvalue()
