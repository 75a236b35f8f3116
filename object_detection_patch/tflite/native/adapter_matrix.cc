#include "adapter_matrix.h"

#include "lanes.h"
#include "sections.h"

namespace odp {

AdapterMatrix::AdapterMatrix(const Entry& edit, size_t columns)
    : values_(edit.elements),
      columns_(columns),
      rows_(edit.is_product() ? edit.shape[1] - columns : edit.shape[0]),
      rank_(edit.is_product() ? edit.shape[0] : 0) {
  ValueReader(edit).read(values_.data(), values_.size());
}

void AdapterMatrix::read_column(size_t channel, float* out) const {
  if (rank_ == 0) {
    for (size_t i = 0; i < rows_; ++i) out[i] = values_[i * columns_ + channel];
    return;
  }
  const float* left = values_.data();
  for (size_t k = 0; k < rank_; ++k, left += rows_ + columns_) {
    const float right = left[rows_ + channel];
    if (k == 0) {
      scale(left, Same{right}, out, rows_);
    } else {
      add_scaled(left, right, out, rows_);
    }
  }
}

}  // namespace odp
