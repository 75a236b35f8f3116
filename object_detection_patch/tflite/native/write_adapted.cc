#include <algorithm>
#include <cstring>

#include "adapter_matrix.h"
#include "channel.h"
#include "half.h"
#include "lanes.h"
#include "weights_by_form.h"

namespace odp {
namespace {

// The weights B of a copy as floats, a run for each channel. Those of float32
// are read where they lie.
class BaseRuns {
 public:
  BaseRuns(const KernelJob& job, const CopyJob& copy)
      : rows_(job.rows), floats_(reinterpret_cast<const float*>(copy.base)) {
    if (job.precision == Precision::kFloat32) return;
    widened_.resize(job.rows * job.channels);
    floats_ = widened_.data();
    if (job.precision == Precision::kFloat16) {
      floats_of_halves(reinterpret_cast<const uint16_t*>(copy.base),
                       widened_.data(), widened_.size());
      return;
    }
    const auto* steps = reinterpret_cast<const int8_t*>(copy.base);
    for (size_t i = 0; i < job.channels; ++i) {
      dequantise(steps + i * rows_, Same{copy.base_scales[i]},
                 &widened_[i * rows_], rows_);
    }
  }

  const float* operator[](size_t channel) const {
    return floats_ + channel * rows_;
  }

 private:
  const size_t rows_;
  const float* floats_;
  std::vector<float> widened_;
};

// One copy of a kernel, channel by channel.
class AdaptedWriter {
 public:
  AdaptedWriter(const KernelJob& job, const CopyJob& copy,
                const AdapterMatrix& matrix)
      : job_(job),
        copy_(copy),
        matrix_(matrix),
        base_(job, copy),
        column_(matrix.rows()),
        folded_(job.rows) {
    if (!job.edit->is_at_centre()) mixed_.resize(job.rows);
  }

  void write() {
    for (size_t channel = 0; channel < job_.channels; ++channel) {
      fold(channel);
      require_finite(all_finite(folded_.data(), job_.rows), job_.name);
      place(channel);
    }
  }

 private:
  // P of a channel into folded_.
  void fold(size_t channel) {
    scale(base_[channel], Same{ratio_of(copy_.fold, channel)}, folded_.data(),
          job_.rows);
    matrix_.read_column(channel, column_.data());
    const float factor = scale_of(copy_.fold, channel);
    for (float& number : column_) number = number * factor;
    if (job_.edit->is_at_centre()) {
      const size_t taps = job_.rows / column_.size();
      add(column_.data(), &folded_[taps / 2 * column_.size()], column_.size());
    } else {
      mix();
      add(mixed_.data(), folded_.data(), job_.rows);
    }
  }

  // The sum over all channels, by column_, into mixed_.
  void mix() {
    for (size_t i = 0; i < column_.size(); ++i) {
      const float factor = column_[i] / base_scale_of(copy_.fold, i);
      if (i == 0) {
        scale(base_[i], Same{factor}, mixed_.data(), job_.rows);
      } else {
        add_scaled(base_[i], factor, mixed_.data(), job_.rows);
      }
    }
  }

  void place(size_t channel) {
    const size_t begin = channel * job_.rows;
    switch (job_.precision) {
      case Precision::kFloat32:
        std::memcpy(reinterpret_cast<float*>(copy_.out) + begin,
                    folded_.data(), job_.rows * sizeof(float));
        return;
      case Precision::kFloat16:
        require_finite(
            halves_of_floats(folded_.data(),
                             reinterpret_cast<uint16_t*>(copy_.out) + begin,
                             job_.rows),
            job_.name);
        return;
      default:
        place_steps(channel, reinterpret_cast<int8_t*>(copy_.out) + begin);
    }
  }

  void place_steps(size_t channel, int8_t* out) {
    float most = 0.0f;
    for (float weight : folded_) most = std::max(most, magnitude(weight));
    float& settled = copy_.scales[channel];
    settled = settled_scale(most / 127.0f, settled);
    require_finite(all_finite(&settled, 1), job_.name);
    quantise(folded_.data(), Same{settled}, out, job_.rows);
  }

  const KernelJob& job_;
  const CopyJob& copy_;
  const AdapterMatrix& matrix_;
  const BaseRuns base_;
  std::vector<float> column_;
  std::vector<float> folded_;
  std::vector<float> mixed_;  // empty where nothing is mixed
};

}  // namespace

void write_adapted(const KernelJob& job) {
  // The matrix is read once, whatever the number of copies.
  const AdapterMatrix matrix(*job.edit, job.channels);
  for (const CopyJob& copy : job.copies) {
    AdaptedWriter(job, copy, matrix).write();
  }
}

}  // namespace odp
