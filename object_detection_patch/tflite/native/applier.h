// Applying in the order of tflite/FORMAT.md, Applying.
#ifndef OD_PATCH_APPLIER_H_
#define OD_PATCH_APPLIER_H_

#include <string>

#include "model.h"
#include "patch.h"

namespace odp {

struct Options {
  bool trust_base = false;
  bool check_result = true;
};

struct Paths {
  std::string base;
  std::string sidecar;
  std::string output;
};

// The patched model; `base` is aligned to 16 bytes.
Model apply_in_memory(const Patch& patch, Span base, Span sidecar,
                      const Options& options);

// The same from files; the output is not looked at.
Model apply_paths(const Patch& patch, const Paths& paths,
                  const Options& options);

// The same, written to the output as a whole or not at all.
void apply_files(const Patch& patch, const Paths& paths,
                 const Options& options);

}  // namespace odp

#endif  // OD_PATCH_APPLIER_H_
