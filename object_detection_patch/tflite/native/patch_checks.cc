// What must hold among the edits, the labels and the releases of a patch.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "patch.h"

namespace odp {
namespace {

constexpr uint32_t kMaxLabelId = 0x7fffffff;
constexpr size_t kDigestBytes = 32;

[[noreturn]] void twice(std::string_view name) {
  fail(OD_PATCH_DUPLICATE_TARGET, "Each tensor may be edited once in a patch. "
       "Received: ", shown(name), " twice.");
}

void check_unique(const std::vector<std::string_view>& sorted) {
  const auto found = std::adjacent_find(sorted.begin(), sorted.end());
  if (found != sorted.end()) twice(*found);
}

// The BatchNorm whose tensor `name` is; empty if none can be.
std::string_view norm_of(std::string_view name) {
  for (std::string_view end : {"/gamma", "/beta"}) {
    if (name.size() > end.size() &&
        name.substr(name.size() - end.size()) == end) {
      return name.substr(0, name.size() - end.size());
    }
  }
  return {};
}

void check_activations(const Release& release) {
  for (uint32_t i = 0; i < release.activations; ++i) {
    const float scale = release.scale(i);
    const int32_t zero_point = release.zero_point(i);
    if (!std::isfinite(scale) || !(scale > 0) || zero_point < -128 ||
        zero_point > 127) {
      fail(OD_PATCH_RELEASE, "An activation's scale must be finite and above "
           "0, its zero point between -128 and 127. Received others for "
           "activation ", i, " of a release.");
    }
  }
}

bool is_same_base(const Release& one, const Release& other) {
  return std::memcmp(one.base_sha256, other.base_sha256, kDigestBytes) == 0;
}

}  // namespace

void check_targets(const std::vector<Entry>& entries) {
  std::vector<std::string_view> norms;
  std::vector<std::string_view> tensors;
  for (const Entry& entry : entries) {
    if (entry.target.empty()) {
      fail(OD_PATCH_TEXT, "An edit must name its target. Received: an empty "
           "name.");
    }
    (entry.kind == kScaleOffset ? norms : tensors).push_back(entry.target);
  }
  std::sort(norms.begin(), norms.end());
  std::sort(tensors.begin(), tensors.end());
  check_unique(norms);
  check_unique(tensors);
  // An edit of a BatchNorm writes to its gamma and its beta.
  for (std::string_view tensor : tensors) {
    const std::string_view norm = norm_of(tensor);
    if (!norm.empty() && std::binary_search(norms.begin(), norms.end(), norm)) {
      twice(tensor);
    }
  }
}

void sort_labels(std::vector<Label>& labels) {
  std::sort(labels.begin(), labels.end(),
            [](const Label& a, const Label& b) { return a.id < b.id; });
  for (size_t i = 0; i < labels.size(); ++i) {
    const uint32_t id = labels[i].id;
    if (id < 1 || id > kMaxLabelId) {
      fail(OD_PATCH_LABEL_MAP, "The ids of a label map lie between 1 (0 is "
           "the background) and ", kMaxLabelId, ". Received: ", id, ".");
    }
    if (i > 0 && labels[i - 1].id == id) {
      fail(OD_PATCH_LABEL_MAP, "Each id of a label map names one class. "
           "Received: ", id, " twice.");
    }
  }
}

void check_releases(const std::vector<Release>& releases) {
  for (size_t i = 0; i < releases.size(); ++i) {
    check_activations(releases[i]);
    for (size_t j = 0; j < i; ++j) {
      if (is_same_base(releases[j], releases[i])) {
        fail(OD_PATCH_RELEASE, "A patch has one release for each base file. "
             "Received: ", hex(releases[i].base_sha256, kDigestBytes),
             " twice.");
      }
    }
  }
}

}  // namespace odp
