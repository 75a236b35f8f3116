// The matrix A between the channels of a convolution (patch_file/FORMAT.md,
// Matrices), stored whole or as a product.
#ifndef OD_PATCH_ADAPTER_MATRIX_H_
#define OD_PATCH_ADAPTER_MATRIX_H_

#include <vector>

#include "patch.h"

namespace odp {

class AdapterMatrix {
 public:
  // Reads the values. `columns`: the outputs of the kernel.
  AdapterMatrix(const Entry& edit, size_t columns);

  size_t rows() const { return rows_; }
  // A[0, channel], A[1, channel], ...
  void read_column(size_t channel, float* out) const;

 private:
  std::vector<float> values_;
  size_t columns_;
  size_t rows_;
  size_t rank_;  // 0 for a whole matrix
};

}  // namespace odp

#endif  // OD_PATCH_ADAPTER_MATRIX_H_
