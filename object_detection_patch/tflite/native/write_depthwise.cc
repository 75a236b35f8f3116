#include <algorithm>
#include <optional>

#include "channel.h"
#include "half.h"
#include "lanes.h"
#include "mask.h"
#include "weights_by_form.h"

namespace odp {
namespace {

// Some channels of one copy, side by side in each row; where these are all, as
// many rows at once as fit, since they are one run of weights.
class ColumnsWriter {
 public:
  ColumnsWriter(const KernelJob& job, const CopyJob& copy,
                const uint8_t* bits, size_t first, size_t count)
      : job_(job),
        copy_(copy),
        bits_(bits),
        first_(first),
        count_(count),
        rows_(count == job.channels ? kPiece / count : 1) {
    for (size_t i = 0; i < count; ++i) {
      const Constants constants =
          constants_of(job.edit, scale_of(copy.fold, first + i),
                       ratio_of(copy.fold, first + i));
      factor_[i] = constants.factor;
      clear_[i] = constants.clear;
      set_[i] = constants.set;
    }
    for (float* constants : {factor_, clear_, set_}) repeat(constants);
  }

  void write() {
    if (job_.precision == Precision::kFloat32) {
      for_runs([&](size_t at, size_t count) { write_floats(at, count); });
    } else if (job_.precision == Precision::kFloat16) {
      for_runs([&](size_t at, size_t count) { write_halves(at, count); });
    } else if (job_.edit == nullptr) {
      rescale();
    } else {
      quantise_rows();
    }
  }

 private:
  // Calls `use` with the first weight of each run and their number.
  template <class Use>
  void for_runs(Use use) {
    for (size_t row = 0; row < job_.rows; row += rows_) {
      const size_t rows = std::min(rows_, job_.rows - row);
      use(row * job_.channels + first_, rows * count_);
    }
  }

  // Numbers of the channels, once for each row of a run.
  void repeat(float* values) const {
    for (size_t i = count_; i < rows_ * count_; ++i) {
      values[i] = values[i - count_];
    }
  }

  void write_floats(size_t at, size_t count) {
    fold(reinterpret_cast<const float*>(copy_.base) + at, at, count,
         reinterpret_cast<float*>(copy_.out) + at);
  }

  void write_halves(size_t at, size_t count) {
    floats_of_halves(reinterpret_cast<const uint16_t*>(copy_.base) + at,
                     widened_, count);
    fold(widened_, at, count, folded_);
    auto* out = reinterpret_cast<uint16_t*>(copy_.out) + at;
    require_finite(halves_of_floats(folded_, out, count), job_.name);
  }

  void quantise_rows() {
    std::copy_n(copy_.base_scales + first_, count_, scales_);
    repeat(scales_);
    std::fill_n(settled_, rows_ * count_, 0.0f);
    for_runs([&](size_t at, size_t count) {
      fold_steps(at, count);
      raise_greatest(folded_, settled_, count);
    });
    settle();
    auto* out = reinterpret_cast<int8_t*>(copy_.out);
    for_runs([&](size_t at, size_t count) {
      // What is one run was folded above.
      if (job_.rows > rows_) fold_steps(at, count);
      quantise(folded_, Each{settled_}, out + at, count);
    });
  }

  // In settled_: the greatest weights of each column of a run become t'.
  void settle() {
    for (size_t row = 1; row < rows_; ++row) {
      raise_greatest(&settled_[row * count_], settled_, count_);
    }
    float* scales = copy_.scales + first_;
    for (size_t i = 0; i < count_; ++i) {
      scales[i] = settled_scale(settled_[i] / 127.0f, scales[i]);
    }
    require_finite(all_finite(scales, count_), job_.name);
    std::copy_n(scales, count_, settled_);
    repeat(settled_);
  }

  void fold_steps(size_t at, size_t count) {
    const auto* base = reinterpret_cast<const int8_t*>(copy_.base) + at;
    dequantise(base, Each{scales_}, widened_, count);
    fold(widened_, at, count, folded_);
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
      quantise_within(&folded, copy_.scales[channel], out + at, 1);
    }
  }

  void fold(const float* base, size_t at, size_t count, float* out) {
    if (job_.edit != nullptr) bytes_of_bits(bits_, at, count, mask_);
    fold_weights(job_.edit, base, mask_, Each{factor_}, Each{clear_},
                 Each{set_}, out, count);
    require_finite(all_finite(out, count), job_.name);
  }

  const KernelJob& job_;
  const CopyJob& copy_;
  const uint8_t* bits_;
  const size_t first_;
  const size_t count_;
  const size_t rows_;  // of a run
  uint8_t mask_[kPiece];
  float factor_[kPiece];
  float clear_[kPiece];
  float set_[kPiece];
  float scales_[kPiece];   // int8: t
  float settled_[kPiece];  // int8: t'
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
