// The norms and bias tensors of a base under one patch, each computed once,
// however many copies and operations use it.
#ifndef OD_PATCH_FOLDS_H_
#define OD_PATCH_FOLDS_H_

#include <memory>
#include <vector>

#include "fit.h"
#include "fold.h"
#include "sidecar.h"

namespace odp {

class Folds {
 public:
  Folds(const Sidecar& sidecar, const Fit& fit)
      : sidecar_(sidecar),
        fit_(fit),
        folds_(sidecar.norms.size()),
        biases_(sidecar.biases.size()) {}

  // The fold of a norm; null for kNone.
  const Fold* fold(uint32_t norm);

  // b' of an operation by channel; null for zeros.
  const float* offsets(const Copy& copy, const Operation& operation);

 private:
  const Sidecar& sidecar_;
  const Fit& fit_;
  std::vector<std::unique_ptr<Fold>> folds_;
  std::vector<std::vector<float>> biases_;  // empty: not read yet
};

}  // namespace odp

#endif  // OD_PATCH_FOLDS_H_
