#include <algorithm>
#include <cstring>

#include "channel.h"
#include "convolution_steps.h"
#include "half.h"
#include "lanes.h"
#include "mask.h"
#include "weights_by_form.h"

namespace odp {
namespace {

// Bits of a block of channels in file order: enough for most kernels whole.
constexpr size_t kBlockBytes = 1u << 16;

// One channel of one copy in a model of floats.
class RunWriter {
 public:
  // `bits`: the channel's mask; unused without an edit.
  RunWriter(const KernelJob& job, const CopyJob& copy, size_t channel,
            const uint8_t* bits)
      : job_(job),
        copy_(copy),
        begin_(channel * job.rows),
        bits_(bits),
        constants_(constants_of(job.edit, scale_of(copy.fold, channel),
                                ratio_of(copy.fold, channel))) {}

  void write() {
    if (job_.precision == Precision::kFloat32) {
      write_floats();
    } else {
      write_halves();
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

  void fold(const float* base, size_t at, size_t count, float* out) {
    if (job_.edit != nullptr) bytes_of_bits(bits_, at, count, mask_);
    fold_weights(job_.edit, base, mask_, Same{constants_.factor},
                 Same{constants_.clear}, Same{constants_.set}, out, count);
    require_finite(all_finite(out, count), job_.name);
  }

  const KernelJob& job_;
  const CopyJob& copy_;
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
      if (job.precision == Precision::kInt8) {
        write_channel_steps(job, copy, channel, own);
      } else {
        RunWriter(job, copy, channel, own).write();
      }
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
