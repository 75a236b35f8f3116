"""The blocks that the MobileTL paper counts, written down from its text.

Reference: Chiang et al., MobileTL, AAAI 2023, Table 1, Table 2 and Figure 1.

Table 1, batch 8, 96 channels, 7 x 7, kernels 5 x 5, expansion 1:

| block | parameters | FLOPs (M): paper, here | kept (MB): paper, here |
| --- | --- | --- | --- |
| `vanilla` | 230,592 | 541.67, 542.46 (+0.1 %) | 0.306, 0.306 |
| `mobilenet_v2`, ReLU | 21,408 | 51.56, 51.31 (-0.5 %) | 0.913, 0.913 |
| `mobilenet_v2`, ReLU6 | 21,408 | 51.56, 51.46 (-0.2 %) | 0.913, 0.922 |
| `mobilenet_v3` | 26,136 | 52.91, 52.70 (-0.4 %) | 1.362, 1.362 |

- Parameters leave out BatchNorm's statistics, which nothing trains.
- FLOPs are those of one step, forward and backward. The three passes of the
  vanilla convolution alone are 541.60 M, so the paper's figure leaves two
  operations an element for normalisation and ReLU, forward and backward
  together; `rules` counts 23. Of an inverted residual block the paper's
  figure leaves 75 an element beside its convolutions; `rules` counts 72.
  The paper does not print its counts of single operations, and no one set of
  them gives both.
- MB are 10^6 bytes. Table 1's 0.913 MB hold one mask bit an element for each
  activation, Table 2 has two for ReLU6, and Figure 1's 46.3 % needs those
  two. `rules` follows Table 2 and Figure 1; with ReLU for ReLU6 the block
  keeps what Table 1 says.
- Means and variances of a batch, 2 floats a channel, are not counted as kept.

Figure 1, expansion 6: 46.3 % and 53.3 % less is kept under MobileTL. Both
come out here, the second as 53.35 %, with Table 2's two bits for the clip of
the hard sigmoid in squeeze-and-excite too.
"""

from __future__ import annotations

from object_detection_patch.profiling.builder import Builder
from object_detection_patch.profiling.network import Network

Shape = tuple[int, int, int, int]


def vanilla(shape: Shape, *, side: int = 5) -> Network:
    """Convolution, BatchNorm, ReLU; as many channels out as in.

    Args:
      shape: of the input, (batch, height, width, channels).
      side: of the kernel.
    """
    builder = Builder(shape)
    x = builder.convolution("convolution", "input", shape[-1], side=side)
    x = builder.normalisation("norm", x, "all")
    builder.function("relu", "relu", x)
    return builder.network()


def mobilenet_v2(
    shape: Shape,
    *,
    expansion: int,
    side: int = 5,
    mobile_tl: bool = False,
    activation: str = "relu6",
) -> Network:
    """Inverted residual block of MobileNetV2, with its residual.

    Args:
      shape: of input and output, (batch, height, width, channels).
      expansion: hidden channels for each input channel.
      side: of the depthwise kernel.
      mobile_tl: the first two BatchNorms train their shift alone, and
        activations have the signed backward pass.
      activation: `relu6`, or `relu` to keep one bit as Table 1 does.
    """
    builder = Builder(shape)
    x = _expanded(builder, expansion, side, activation, mobile_tl)
    _projected(builder, x, shape[-1])
    return builder.network()


def mobilenet_v3(
    shape: Shape, *, expansion: int, side: int = 5, mobile_tl: bool = False
) -> Network:
    """The same with Hard-Swish and squeeze-and-excite (MobileNetV3).

    Squeezed to a quarter of the hidden channels, with biases, ReLU between
    and a hard sigmoid behind; MobileTL leaves that branch as it is.

    Args: as `mobilenet_v2`.
    """
    builder = Builder(shape)
    x = _expanded(builder, expansion, side, "hard_swish", mobile_tl)
    x = _squeezed_and_excited(builder, x)
    _projected(builder, x, shape[-1])
    return builder.network()


def _expanded(
    builder: Builder,
    expansion: int,
    side: int,
    activation: str,
    mobile_tl: bool,
) -> str:
    hidden = expansion * builder.shapes["input"][-1]
    train = "shift" if mobile_tl else "all"
    kind = f"signed_{activation}" if mobile_tl else activation
    x = builder.convolution("expand", "input", hidden)
    x = builder.normalisation("expand_norm", x, train)
    x = builder.function("expand_activation", kind, x)
    x = builder.convolution("depthwise", x, hidden, side=side, depthwise=True)
    x = builder.normalisation("depthwise_norm", x, train)
    return builder.function("depthwise_activation", kind, x)


def _squeezed_and_excited(builder: Builder, x: str) -> str:
    batch, _, _, hidden = builder.shapes[x]
    mean = builder.function("mean", "mean", x, shape=(batch, 1, 1, hidden))
    y = builder.convolution("squeeze", mean, hidden // 4, bias=True)
    y = builder.function("squeeze_relu", "relu", y)
    y = builder.convolution("excite", y, hidden, bias=True)
    y = builder.function("hard_sigmoid", "hard_sigmoid", y)
    return builder.function("scale", "multiply", x, y)


def _projected(builder: Builder, x: str, filters: int) -> None:
    x = builder.convolution("project", x, filters)
    x = builder.normalisation("project_norm", x, "all")
    builder.function("residual", "add", x, "input")
