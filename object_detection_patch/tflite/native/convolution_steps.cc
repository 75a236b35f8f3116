#include "convolution_steps.h"

#include <algorithm>

#include "channel.h"
#include "lanes.h"
#include "mask.h"

namespace odp {
namespace {

class StepsWriter {
 public:
  StepsWriter(const KernelJob& job, const CopyJob& copy, size_t channel,
              const uint8_t* bits)
      : job_(job),
        base_(reinterpret_cast<const int8_t*>(copy.base) + channel * job.rows),
        out_(reinterpret_cast<int8_t*>(copy.out) + channel * job.rows),
        bits_(bits),
        scale_(copy.base_scales[channel]),
        settled_(copy.scales[channel]),
        constants_(constants_of(job.edit, scale_of(copy.fold, channel),
                                ratio_of(copy.fold, channel))) {}

  void write() {
    if (job_.edit == nullptr) return rescale();
    int32_t most = 0;
    for_pieces([&](size_t at, size_t count) {
      most = std::max(most, fold(at, count));
    });
    settle(from_bits(static_cast<uint32_t>(most)) / 127.0f);
    for_pieces([&](size_t at, size_t count) {
      // What fits in one piece was folded above.
      if (job_.rows > kPiece) fold(at, count);
      quantise(folded_, Same{settled_}, out_ + at, count);
    });
  }

 private:
  template <class Use>
  void for_pieces(Use use) {
    for (size_t at = 0; at < job_.rows; at += kPiece) {
      use(at, std::min(kPiece, job_.rows - at));
    }
  }

  void settle(float natural) {
    settled_ = settled_scale(natural, settled_);
    require_finite(all_finite(&settled_, 1), job_.name);
  }

  // P of a piece into folded_; returns the bits of its greatest magnitude.
  int32_t fold(size_t at, size_t count) {
    const int32_t most = folded_piece(base_ + at, at, count);
    require_finite(most < kInfinityBits, job_.name);
    return most;
  }

  int32_t folded_piece(const int8_t* base, size_t at, size_t count) {
    const Constants& c = constants_;
    if (job_.edit == nullptr) {
      return scale_steps(base, scale_, c.factor, folded_, count);
    }
    bytes_of_bits(bits_, at, count, mask_);
    if (job_.edit->kind == kKeepMasked) {
      return keep_of_steps(base, scale_, mask_, c.factor, folded_, count);
    }
    return add_to_steps(base, scale_, mask_, c.factor, c.clear, c.set, folded_,
                        count);
  }

  // Without an edit of the kernel: the steps of the base, or fewer.
  void rescale() {
    const float natural = scale_ * magnitude(constants_.factor);
    settle(natural);
    if (natural == settled_) return keep();
    for_pieces([&](size_t at, size_t count) {
      fold(at, count);
      quantise_within(folded_, settled_, out_ + at, count);
    });
  }

  void keep() {
    const bool are_negated = constants_.factor < 0;
    for (size_t i = 0; i < job_.rows; ++i) {
      out_[i] = kept_step(base_[i], are_negated);
    }
  }

  const KernelJob& job_;
  const int8_t* const base_;
  int8_t* const out_;
  const uint8_t* const bits_;
  const float scale_;
  float& settled_;
  const Constants constants_;
  uint8_t mask_[kPiece];
  float folded_[kPiece];
};

}  // namespace

void write_channel_steps(const KernelJob& job, const CopyJob& copy,
                         size_t channel, const uint8_t* bits) {
  StepsWriter(job, copy, channel, bits).write();
}

}  // namespace odp
