// The inflated header of a patch: directory, labels, releases, metadata.
#ifndef OD_PATCH_DIRECTORY_H_
#define OD_PATCH_DIRECTORY_H_

#include "patch.h"

namespace odp {

// Fills a patch from its `header`, every entry checked. The JSON metadata is
// for people: its length is checked and nothing else.
void read_directory(Patch& patch, uint32_t version);

}  // namespace odp

#endif  // OD_PATCH_DIRECTORY_H_
