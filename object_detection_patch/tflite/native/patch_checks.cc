// What must hold among the edits and among the labels of a patch.
#include <algorithm>
#include <string>

#include "patch.h"

namespace odp {
namespace {

constexpr uint32_t kMaxLabelId = 0x7fffffff;

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

}  // namespace

void check_targets(const std::vector<Entry>& entries) {
  std::vector<std::string_view> norms;
  std::vector<std::string_view> tensors;
  for (const Entry& entry : entries) {
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

}  // namespace odp
