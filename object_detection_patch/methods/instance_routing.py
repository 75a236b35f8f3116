"""Each image chooses, block by block, the base's or the task's: SpotTune.

The task's blocks are the backbone's own with whatever the other parts of the
patch do to them: `fine_tuning` gives SpotTune, `binary_mask` a routed
SpotPatch. Beside them stand copies of the base's blocks that never train.
"""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from object_detection_patch.hosts import Backbone, Hosts
from object_detection_patch.keras_version import keras
from object_detection_patch.methods import base, kernel_view
from object_detection_patch.methods.block_layers import main_path_block
from object_detection_patch.methods.blocks import find_units
from object_detection_patch.methods.policy import (
    PolicyNetwork,
    choose,
    gumbel,
    policy_edits,
)
from object_detection_patch.methods.routed_model import Branch, RoutedModel
from object_detection_patch.patch_file import edits
from object_detection_patch.protos import patch_pb2

_PART = "instance_routing"
MOST_POLICY_CHANNELS = 1024
"""Of the last block; the paper's policies have 256 or 512 there."""
_USAGE_MOMENTUM = 0.99
_MOST_IMAGES = 0.5
# Of the random policy (SpotTune, Section 4.1).
_ALWAYS_TUNED = 3
_TINY = 1e-6
_Options = patch_pb2.InstanceRouting


class InstanceRouting(base.Part):
    """Routes every block of the backbone, image by image."""

    def __init__(self, options: patch_pb2.InstanceRouting) -> None:
        super().__init__(options)
        for option, minimum, open_ in (
            ("temperature", 0.0, True),
            ("lambda_k", 0.0, False),
            ("lambda_entropy", 0.0, False),
        ):
            base.check_option(
                _PART,
                option,
                getattr(options, option),
                minimum=minimum,
                open_=open_,
            )
        if options.global_blocks and options.choice != _Options.LEARNED:
            raise ValueError(
                f"`{_PART}.global_blocks` counts blocks that training chooses, "
                "so `choice` must be LEARNED. Received: "
                f"{_Options.Choice.Name(options.choice)} (pipeline.config, "
                "[object_detection_patch.patch])."
            )
        if options.HasField("policy") and options.choice != _Options.LEARNED:
            raise ValueError(
                f"`{_PART}.policy` is for a policy that training learns, so "
                "`choice` must be LEARNED. Received: "
                f"{_Options.Choice.Name(options.choice)} (pipeline.config, "
                "[object_detection_patch.patch])."
            )
        for option in ("blocks", "channels"):
            base.check_option(
                f"{_PART}.policy",
                option,
                getattr(options.policy, option),
                minimum=1,
                open_=False,
                maximum=MOST_POLICY_CHANNELS,
            )
        width = policy_width(options.policy.blocks, options.policy.channels)
        if width > MOST_POLICY_CHANNELS:
            raise ValueError(
                f"The last block of `{_PART}.policy` may have "
                f"{MOST_POLICY_CHANNELS} channels. Received: {width}, "
                f"{options.policy.channels} doubled with each of "
                f"{options.policy.blocks} blocks (pipeline.config, "
                "[object_detection_patch.patch])."
            )

    def patches(self, host: base.Host) -> bool:
        del host
        return False

    def attach(self, host: base.Host) -> base.HostPatch:
        raise NotImplementedError(_PART)

    def check(self, hosts: Hosts) -> None:
        names = routed_blocks(_require_backbone(hosts))
        if self.options.HasField("blocks") and self.options.blocks != len(
            names
        ):
            raise ValueError(
                f"`{_PART}.blocks` must be the number of blocks that the "
                f"backbone has, {len(names)}. Received: {self.options.blocks} "
                "(pipeline.config, [object_detection_patch.patch])."
            )
        if self.options.global_blocks > len(names):
            raise ValueError(
                f"`{_PART}.global_blocks` must be at most the number of "
                f"blocks that the backbone has, {len(names)}. Received: "
                f"{self.options.global_blocks} (pipeline.config, "
                "[object_detection_patch.patch])."
            )

    def model_patch(self, hosts: Hosts) -> Router:
        return Router(self.options, _require_backbone(hosts), name="router")


def policy_width(blocks: int, channels: int) -> int:
    """Channels of a policy's last block; each has twice as many."""
    return channels * 2 ** (blocks - 1)


class Router(base.ModelPatch):
    """The policy, the base's blocks, and how often each task's is taken.

    Args:
      options: of the part.
      backbone: what is routed.
    """

    def __init__(
        self,
        options: patch_pb2.InstanceRouting,
        backbone: Backbone,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._options = options
        self.blocks = routed_blocks(backbone)
        object.__setattr__(self, "_backbone", backbone)
        self._training = False
        self._shares: Any = None
        # Keras would track a list.
        object.__setattr__(self, "_seen", None)
        self.frozen = {
            layer.name: _copy(layer)
            for layer in backbone.model.layers
            if main_path_block(layer) and layer.weights
        }
        self.policy = None
        if options.choice == _Options.LEARNED:
            self.policy = PolicyNetwork(
                decisions=len(self.blocks),
                blocks=options.policy.blocks,
                channels=options.policy.channels,
                name="policy",
            )
            self.policy(tf.zeros([1, 32, 32, 3]))
        self.usage = self.add_weight(
            name="usage",
            shape=(len(self.blocks),),
            initializer=keras.initializers.Constant(0.5),
            trainable=False,
        )
        self.built = True

    def initialise(self) -> None:
        """Copies the base's values into the blocks that never train."""
        for layer in self._backbone.model.layers:
            if layer.name in self.frozen:
                for target, source in zip(
                    self.frozen[layer.name].weights, layer.weights, strict=True
                ):
                    target.assign(source)

    def attach(self) -> None:
        others = {
            id(layer): self.frozen[layer.name]
            for layer in self._backbone.model.layers
            if layer.name in self.frozen
        }
        routed = RoutedModel(
            self._backbone.model, find_units(self._backbone.model), others
        )

        def call(images: Any, training: Any = None, mask: Any = None) -> Any:
            del mask
            if training is not None:
                self._training = bool(training)
            return routed(images, self._route(images))

        self._backbone.replace(call)

    def detach(self) -> None:
        self._backbone.restore()

    def set_training(self, is_training: bool) -> None:
        self._training = is_training

    def penalties(self) -> dict[str, Any]:
        """L_k and L_e of the last batch (SpotTune, Eq. 5 and 6)."""
        options = self._options
        if not options.global_blocks or self._shares is None:
            return {}
        used = tf.reduce_sum(self._shares)
        entropy = -self._shares * tf.math.log(self._shares + _TINY)
        return {
            "k": options.lambda_k * (used - options.global_blocks) ** 2,
            "entropy": options.lambda_entropy * tf.reduce_sum(entropy),
        }

    def ships(self, host: base.Host) -> bool:
        """Whether a host's edits belong to the task: not those of blocks that
        a global policy leaves to the base."""
        block = main_path_block(host.layer)
        return block is None or block in self.shipped_blocks()

    def shipped_blocks(self) -> list[str]:
        """The blocks that images may take tuned, in network order."""
        if not self._options.global_blocks:
            return list(self.blocks)
        chosen = self._global_choices().numpy()
        return [self.blocks[number] for number in np.flatnonzero(chosen)]

    def prefix(self, host: base.Host) -> str:
        """Of hosts that a routing base has twice, the task's copy."""
        if self._is_decided or main_path_block(host.layer) is None:
            return ""
        return edits.TUNED_PREFIX

    def edits(self) -> list[edits.Edit]:
        """What a phone needs to decide by itself.

        A choice that is the same for all images needs nothing. Of the random
        policy it is the probability of every tuned block.
        """
        if self._is_decided:
            return []
        if self.policy is None:
            return [edits.Replace(edits.SHARES, self._random_shares())]
        return policy_edits(self.policy)

    @contextlib.contextmanager
    def watched(self) -> Iterator[list[np.ndarray]]:
        """Yields a list that the choices of evaluated images go to.

        One bool array [batch, L] for each pass outside of training, True where
        an image takes the tuned block. Graphs must be traced within.
        """
        seen: list[np.ndarray] = []
        object.__setattr__(self, "_seen", seen)
        try:
            yield seen
        finally:
            object.__setattr__(self, "_seen", None)

    @property
    def _is_decided(self) -> bool:
        options = self._options
        return (
            options.choice == _Options.ALWAYS_TUNED or options.global_blocks > 0
        )

    def _route(self, images: tf.Tensor) -> Any:
        taken = self._choices(images)
        # A tensor of an earlier pass would be one of another graph.
        self._shares = None
        if self._training:
            self._observe(taken)
        elif self._seen is not None:
            self._watch(taken)
        by_block = dict(
            zip(self.blocks, tf.unstack(taken, axis=1), strict=True)
        )

        def route(block: str, own: Branch, frozen: Branch) -> list[tf.Tensor]:
            share = by_block[block]
            blend = functools.partial(_blended, share, own, frozen)
            if self._training:
                return blend()
            return tf.cond(
                tf.reduce_all(share == 1.0),
                own,
                lambda: tf.cond(tf.reduce_all(share == 0.0), frozen, blend),
            )

        return route

    def _choices(self, images: tf.Tensor) -> tf.Tensor:
        """float32 [batch, L], 1 where an image takes the task's block."""
        options = self._options
        shape = [tf.shape(images)[0], len(self.blocks)]
        if self.policy is None:
            fixed = options.choice == _Options.ALWAYS_TUNED
            return tf.ones(shape) if fixed else self._random_choices(shape)
        if options.global_blocks and not self._training:
            return tf.broadcast_to(self._global_choices(), shape)
        logits = self.policy(images, training=self._training)
        noise = gumbel(tf.shape(logits)) if self._training else 0.0
        return choose(
            logits,
            noise,
            temperature=options.temperature,
            hard=options.hard or not self._training,
        )

    def _random_choices(self, shape: list[Any]) -> tf.Tensor:
        """The last three always tuned, the others by a coin."""
        coins = tf.random.uniform(shape) < self._random_shares()
        return tf.cast(coins, tf.float32)

    def _random_shares(self) -> np.ndarray:
        shares = np.full(len(self.blocks), 0.5, np.float32)
        shares[-_ALWAYS_TUNED:] = 1.0
        return shares

    def _global_choices(self) -> tf.Tensor:
        """float32 [L]: the most used blocks during training.

        None that few images took: what it has learned is of long ago, and no
        other block has learned beside it.
        """
        _, chosen = tf.math.top_k(self.usage, self._options.global_blocks)
        most = tf.reduce_sum(tf.one_hot(chosen, len(self.blocks)), axis=0)
        return most * tf.cast(self.usage >= _MOST_IMAGES, tf.float32)

    def _watch(self, taken: tf.Tensor) -> None:
        seen = self._seen

        def keep(choices: np.ndarray) -> None:
            seen.append(choices > 0.5)  # noqa: PLR2004

        tf.numpy_function(keep, [taken], [])

    def _observe(self, taken: tf.Tensor) -> None:
        self._shares = tf.reduce_mean(taken, axis=0)
        self.usage.assign(
            _USAGE_MOMENTUM * self.usage
            + (1.0 - _USAGE_MOMENTUM) * self._shares
        )


def _blended(share: tf.Tensor, own: Branch, frozen: Branch) -> list[tf.Tensor]:
    """Each image's share of the task's block; float32 [batch]."""
    share = share[:, None, None, None]
    return [
        tf.cast(share, tuned.dtype) * tuned
        + tf.cast(1.0 - share, tuned.dtype) * base_
        for tuned, base_ in zip(own(), frozen(), strict=True)
    ]


def routed_blocks(backbone: Backbone) -> list[str]:
    """Names of a backbone's blocks, in network order."""
    units = find_units(backbone.model)
    return [unit.block for unit in units if unit.block is not None]


def _require_backbone(hosts: Hosts) -> Backbone:
    if hosts.backbone is None:
        raise ValueError(
            f"`{_PART}` needs a backbone that is a functional Keras model. "
            "Received: a model without one (pipeline.config, "
            "[object_detection_patch.patch])."
        )
    return hosts.backbone


def _copy(layer: Any) -> Any:
    """A layer like this one, with weights of its own that never train."""
    with warnings.catch_warnings():
        # Of initializers that are TensorFlow's own; the values come later.
        warnings.filterwarnings("ignore", message=".*initializers.serialize")
        config = layer.get_config()
    copy = type(layer).from_config(config)
    copy.build(layer.input_shape)
    kernel_view.frozen(copy)
    return copy
