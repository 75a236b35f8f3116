#include <algorithm>
#include <cstring>

#include "channel.h"
#include "half.h"
#include "lanes.h"
#include "mask.h"
#include "weights_by_form.h"

namespace odp {
namespace {

// Bits of a block of channels in file order: enough for most kernels whole.
constexpr size_t kBlockBytes = 1u << 16;

// One channel of one copy.
class RunWriter {
 public:
  // `bits`: the channel's mask; unused without an edit.
  RunWriter(const KernelJob& job, const CopyJob& copy, size_t channel,
            const uint8_t* bits)
      : job_(job),
        copy_(copy),
        channel_(channel),
        begin_(channel * job.rows),
        bits_(bits),
        constants_(constants_of(job.edit, scale_of(copy.fold, channel),
                                ratio_of(copy.fold, channel))) {}

  void write() {
    switch (job_.precision) {
      case Precision::kFloat32:
        return write_floats();
      case Precision::kFloat16:
        return write_halves();
      default:
        return write_steps();
    }
  }

 private:
  void write_floats() {
    const auto* base = reinterpret_cast<const float*>(copy_.base) + begin_;
    auto* out = reinterpret_cast<float*>(copy_.out) + begin_;
    for (size_t at = 0; at < job_.rows; at += kPiece) {
      const size_t count = std::min(kPiece, job_.rows - at);
      fold(base + at, at, count, out + at);
    }
  }

  void write_halves() {
    const auto* base = reinterpret_cast<const uint16_t*>(copy_.base) + begin_;
    auto* out = reinterpret_cast<uint16_t*>(copy_.out) + begin_;
    for (size_t at = 0; at < job_.rows; at += kPiece) {
      const size_t count = std::min(kPiece, job_.rows - at);
      floats_of_halves(base + at, widened_, count);
      fold(widened_, at, count, folded_);
      require_finite(halves_of_floats(folded_, out + at, count), job_.name);
    }
  }

  void write_steps() {
    const float scale = copy_.base_scales[channel_];
    float& settled = copy_.scales[channel_];
    if (job_.edit == nullptr) {
      const float ratio = ratio_of(copy_.fold, channel_);
      const float natural = scale * magnitude(ratio);
      settled = settled_scale(natural, settled);
      require_finite(all_finite(&settled, 1), job_.name);
      if (natural == settled) return keep_steps(ratio < 0);
    } else {
      float most = 0;
      for (size_t at = 0; at < job_.rows; at += kPiece) {
        most = std::max(most, greatest(folded_, fold_steps(at, scale)));
      }
      settled = settled_scale(most / 127.0f, settled);
      require_finite(all_finite(&settled, 1), job_.name);
    }
    auto* out = reinterpret_cast<int8_t*>(copy_.out) + begin_;
    for (size_t at = 0; at < job_.rows; at += kPiece) {
      // What fits in one piece was folded above.
      const bool is_folded = job_.edit != nullptr && job_.rows <= kPiece;
      const size_t count = is_folded ? job_.rows : fold_steps(at, scale);
      quantise(folded_, Same{settled}, out + at, count);
    }
  }

  // The unedited steps of the base.
  void keep_steps(bool are_negated) {
    const auto* base = reinterpret_cast<const int8_t*>(copy_.base) + begin_;
    auto* out = reinterpret_cast<int8_t*>(copy_.out) + begin_;
    for (size_t i = 0; i < job_.rows; ++i) {
      out[i] = kept_step(base[i], are_negated);
    }
  }

  // Folds the piece at `at` into folded_; returns its length.
  size_t fold_steps(size_t at, float scale) {
    const auto* base = reinterpret_cast<const int8_t*>(copy_.base) + begin_;
    const size_t count = std::min(kPiece, job_.rows - at);
    dequantise(base + at, Same{scale}, widened_, count);
    fold(widened_, at, count, folded_);
    return count;
  }

  void fold(const float* base, size_t at, size_t count, float* out) {
    if (job_.edit != nullptr) bytes_of_bits(bits_, at, count, mask_);
    fold_weights(job_.edit, base, mask_, Same{constants_.factor},
                 Same{constants_.clear}, Same{constants_.set}, out, count);
    require_finite(all_finite(out, count), job_.name);
  }

  const KernelJob& job_;
  const CopyJob& copy_;
  const size_t channel_;
  const size_t begin_;
  const uint8_t* bits_;
  const Constants constants_;
  uint8_t mask_[kPiece];
  float widened_[kPiece];
  float folded_[kPiece];
};

void write_channels(const KernelJob& job, size_t first, size_t last,
                    const uint8_t* bits) {
  const size_t stride = (job.rows + 7) / 8;
  for (const CopyJob& copy : job.copies) {
    for (size_t channel = first; channel < last; ++channel) {
      const uint8_t* own = bits;
      if (job.edit != nullptr) own += (channel - first) * stride;
      RunWriter(job, copy, channel, own).write();
    }
  }
}

}  // namespace

void write_convolution(const KernelJob& job) {
  if (job.edit == nullptr) {
    return write_channels(job, 0, job.channels, nullptr);
  }
  // The bits are reordered once, whatever the number of copies.
  const MaskBits mask(*job.edit);
  const BitMatrix matrix = {mask.data(), job.rows, job.channels};
  const size_t stride = (job.rows + 7) / 8;
  const size_t most = std::max<size_t>(8, kBlockBytes / stride / 8 * 8);
  std::vector<uint8_t> bits(std::min(most, job.channels) * stride);
  for (size_t first = 0; first < job.channels; first += most) {
    const size_t last = std::min(first + most, job.channels);
    transpose_bits(matrix, first, last, bits.data());
    write_channels(job, first, last, bits.data());
  }
}

}  // namespace odp
