#include "folds.h"

#include <cstring>

namespace odp {
namespace {

// Of a bias tensor; `edit` may be null.
std::vector<float> values_of(const Bias& bias, const Entry* edit) {
  if (edit == nullptr) {
    std::vector<float> values(bias.values.count);
    std::memcpy(values.data(), bias.values.bytes, 4 * values.size());
    return values;
  }
  std::vector<float> values(edit->elements);
  ValueReader(*edit).read(values.data(), values.size());
  return values;
}

}  // namespace

const Fold* Folds::fold(uint32_t norm) {
  if (norm == kNone) return nullptr;
  std::unique_ptr<Fold>& fold = folds_[norm];
  if (!fold) {
    fold = std::make_unique<Fold>(
        fold_norm(sidecar_.norms[norm], fit_.norms[norm]));
  }
  return fold.get();
}

const float* Folds::offsets(const Copy& copy, const Operation& operation) {
  const uint32_t tensor = operation.tensor;
  if (tensor == kNone) {
    const Fold* found = fold(copy.norm);
    return found == nullptr ? nullptr : found->offset.data();
  }
  std::vector<float>& values = biases_[tensor];
  if (values.empty()) {
    values = values_of(sidecar_.biases[tensor], fit_.biases[tensor]);
  }
  return values.data();
}

}  // namespace odp
