#include <algorithm>
#include <optional>

#include "channel.h"
#include "half.h"
#include "lanes.h"
#include "mask.h"
#include "weights_by_form.h"

namespace odp {
namespace {

// Some channels of one copy, side by side in each row.
class ColumnsWriter {
 public:
  ColumnsWriter(const KernelJob& job, const CopyJob& copy,
                const uint8_t* bits, size_t first, size_t count)
      : job_(job), copy_(copy), bits_(bits), first_(first), count_(count) {
    for (size_t i = 0; i < count; ++i) {
      const Constants constants =
          constants_of(job.edit, scale_of(copy.fold, first + i),
                       ratio_of(copy.fold, first + i));
      factor_[i] = constants.factor;
      clear_[i] = constants.clear;
      set_[i] = constants.set;
    }
  }

  void write() {
    if (job_.precision == Precision::kInt8) {
      if (job_.edit == nullptr) {
        rescale();
      } else {
        quantise_rows();
      }
      return;
    }
    for (size_t row = 0; row < job_.rows; ++row) {
      if (job_.precision == Precision::kFloat32) {
        write_floats(at(row));
      } else {
        write_halves(at(row));
      }
    }
  }

 private:
  size_t at(size_t row) const { return row * job_.channels + first_; }

  void write_floats(size_t at) {
    fold(reinterpret_cast<const float*>(copy_.base) + at, at,
         reinterpret_cast<float*>(copy_.out) + at);
  }

  void write_halves(size_t at) {
    floats_of_halves(reinterpret_cast<const uint16_t*>(copy_.base) + at,
                     widened_, count_);
    fold(widened_, at, folded_);
    auto* out = reinterpret_cast<uint16_t*>(copy_.out) + at;
    require_finite(halves_of_floats(folded_, out, count_), job_.name);
  }

  void quantise_rows() {
    std::fill_n(most_, count_, 0.0f);
    for (size_t row = 0; row < job_.rows; ++row) {
      fold_steps(at(row));
      raise_greatest(folded_, most_, count_);
    }
    float* settled = copy_.scales + first_;
    for (size_t i = 0; i < count_; ++i) {
      settled[i] = settled_scale(most_[i] / 127.0f, settled[i]);
    }
    require_finite(all_finite(settled, count_), job_.name);
    auto* out = reinterpret_cast<int8_t*>(copy_.out);
    for (size_t row = 0; row < job_.rows; ++row) {
      fold_steps(at(row));
      quantise(folded_, Each{settled}, out + at(row), count_);
    }
  }

  void fold_steps(size_t at) {
    const auto* base = reinterpret_cast<const int8_t*>(copy_.base) + at;
    dequantise(base, Each{copy_.base_scales + first_}, widened_, count_);
    fold(widened_, at, folded_);
  }

  // Without an edit of the kernel: the steps of the base, or fewer.
  void rescale() {
    for (size_t i = 0; i < count_; ++i) {
      const size_t channel = first_ + i;
      const float scale = copy_.base_scales[channel];
      const float ratio = factor_[i];
      const float natural = scale * magnitude(ratio);
      float& settled = copy_.scales[channel];
      settled = settled_scale(natural, settled);
      require_finite(all_finite(&settled, 1), job_.name);
      rescale_channel(channel, scale, ratio, natural == settled);
    }
  }

  void rescale_channel(size_t channel, float scale, float ratio,
                       bool are_kept) {
    const auto* base = reinterpret_cast<const int8_t*>(copy_.base) + channel;
    auto* out = reinterpret_cast<int8_t*>(copy_.out) + channel;
    for (size_t row = 0; row < job_.rows; ++row) {
      const size_t at = row * job_.channels;
      if (are_kept) {
        out[at] = kept_step(base[at], ratio < 0);
        continue;
      }
      const float weight = static_cast<float>(base[at]) * scale;
      const float folded = weight * ratio;
      require_finite(all_finite(&folded, 1), job_.name);
      quantise(&folded, Same{copy_.scales[channel]}, out + at, 1);
    }
  }

  void fold(const float* base, size_t at, float* out) {
    if (job_.edit != nullptr) bytes_of_bits(bits_, at, count_, mask_);
    fold_weights(job_.edit, base, mask_, Each{factor_}, Each{clear_},
                 Each{set_}, out, count_);
    require_finite(all_finite(out, count_), job_.name);
  }

  const KernelJob& job_;
  const CopyJob& copy_;
  const uint8_t* bits_;
  const size_t first_;
  const size_t count_;
  uint8_t mask_[kPiece];
  float factor_[kPiece];
  float clear_[kPiece];
  float set_[kPiece];
  float most_[kPiece];
  float widened_[kPiece];
  float folded_[kPiece];
};

}  // namespace

void write_depthwise(const KernelJob& job) {
  std::optional<MaskBits> mask;
  if (job.edit != nullptr) mask.emplace(*job.edit);
  const uint8_t* bits = mask ? mask->data() : nullptr;
  for (const CopyJob& copy : job.copies) {
    for (size_t first = 0; first < job.channels; first += kPiece) {
      const size_t count = std::min(kPiece, job.channels - first);
      ColumnsWriter(job, copy, bits, first, count).write();
    }
  }
}

}  // namespace odp
