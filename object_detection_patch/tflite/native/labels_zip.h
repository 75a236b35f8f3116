// The labels at the end of a model: a zip archive with labelmap.txt.
#ifndef OD_PATCH_LABELS_ZIP_H_
#define OD_PATCH_LABELS_ZIP_H_

#include <string>
#include <vector>

#include "patch.h"

namespace odp {

// A line for each class id from 1 to the greatest; labels ascend by id.
std::string labels_text(const std::vector<Label>& labels);

// The archive with that text, which begins at byte `start` of a model.
std::string labels_zip(const std::string& text, uint32_t start);

}  // namespace odp

#endif  // OD_PATCH_LABELS_ZIP_H_
