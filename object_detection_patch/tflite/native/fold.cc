#include "fold.h"

#include <cstring>

#include "lanes.h"

namespace odp {

void require_finite(bool are_finite, std::string_view name) {
  if (are_finite) return;
  fail(OD_PATCH_NUMBER, "The numbers of a patched model must be finite. "
       "Received: NaN or Inf for ", shown(name),
       "; the patch does not suit this base.");
}

Fold fold_norm(const Norm& norm, const Entry* edit) {
  const uint32_t channels = norm.channels();
  Fold fold;
  fold.scale.resize(channels);
  fold.ratio.resize(channels);
  fold.offset.resize(channels);
  fold.base_scale.resize(channels);
  // Gamma and beta first, which the results then replace.
  float* gamma = fold.scale.data();
  float* beta = fold.offset.data();
  if (edit != nullptr) {
    ValueReader values(*edit);
    values.read(gamma, channels);
    values.read(beta, channels);
  } else {
    std::memcpy(gamma, norm.gamma.bytes, 4 * size_t{channels});
    std::memcpy(beta, norm.beta.bytes, 4 * size_t{channels});
  }
  for (uint32_t i = 0; i < channels; ++i) {
    fold.ratio[i] = gamma[i] / norm.gamma[i];
    const float scale = gamma[i] * norm.inverse_deviation[i];
    const float moved = norm.mean[i] * scale;
    fold.offset[i] = beta[i] - moved;
    fold.scale[i] = scale;
    fold.base_scale[i] = norm.gamma[i] * norm.inverse_deviation[i];
  }
  for (const auto* numbers : {&fold.scale, &fold.ratio, &fold.offset}) {
    require_finite(all_finite(numbers->data(), channels), norm.name);
  }
  return fold;
}

}  // namespace odp
