// A patch file in memory: checked, its numbers still in their sections.
#ifndef OD_PATCH_PATCH_H_
#define OD_PATCH_PATCH_H_

#include <string>
#include <string_view>
#include <vector>

#include "bytes.h"
#include "sha256.h"

namespace odp {

enum Kind : uint8_t {
  kReplace = 1,
  kAddSigned = 2,
  kAffineMask = 3,
  kKeepMasked = 4,
  kScaleOffset = 5,
  kAddAtCentre = 6,
  kAddProductAtCentre = 7,
  kMixOutputs = 8,
  kMixOutputsByProduct = 9,
};

enum ValueType : uint8_t {
  kBits = 0,
  kFloat32 = 1,
  kFloat16 = 2,
  kGrid = 3,
  kHalfGrid = 4,
};

enum Codec : uint8_t {
  kStored = 0,
  kZlib = 1,
  kPlanes = 2,
};

constexpr uint32_t kMaxRank = 8;
// Of one tensor and of all together.
constexpr uint32_t kMaxElements = 1u << 26;

// Number i of a grid belongs to group (i / inner) % groups.
struct Grid {
  uint8_t bits = 0;
  uint32_t inner = 0;
  uint32_t groups = 0;
};

// One edit: its line of the directory, and where its section lies.
struct Entry {
  uint8_t kind = 0;
  uint8_t value_type = 0;
  uint8_t codec = 0;
  uint8_t rank = 0;
  uint32_t shape[kMaxRank] = {};
  Grid grid;
  uint32_t stored_bytes = 0;
  uint32_t elements = 1;
  std::string_view target;
  const uint8_t* section = nullptr;

  bool is_masked() const {
    return kind == kAddSigned || kind == kAffineMask || kind == kKeepMasked;
  }
  bool is_grid() const {
    return value_type == kGrid || value_type == kHalfGrid;
  }
  // Of lo and step of all groups, before the codes of a grid.
  uint64_t grid_numbers_bytes() const {
    return (value_type == kHalfGrid ? 4 : 8) * uint64_t{grid.groups};
  }
  // A matrix between the channels of a convolution.
  bool is_adapter() const { return kind >= kAddAtCentre; }
  bool is_at_centre() const {
    return kind == kAddAtCentre || kind == kAddProductAtCentre;
  }
  bool is_product() const {
    return kind == kAddProductAtCentre || kind == kMixOutputsByProduct;
  }
  // Single float32 numbers before the mask or the values.
  uint32_t singles() const {
    return kind == kAddSigned ? 1 : kind == kAffineMask ? 3 : 0;
  }
  float single(uint32_t i) const { return load<float>(section + 4 * i); }
  // The mask or the values as they are stored.
  Span stored() const { return {section + 4 * singles(), stored_bytes}; }
  // Bytes of the mask or the values when inflated.
  uint64_t raw_bytes() const;
};

struct Label {
  uint32_t id;
  std::string_view name;
  std::string_view display_name;

  std::string_view shown() const {
    return display_name.empty() ? name : display_name;
  }
};

// The result of the patch on one base file.
struct Release {
  const uint8_t* base_sha256;
  const uint8_t* result_sha256;
  uint32_t activations;
  const uint8_t* numbers;  // a scale and a zero point for each activation

  float scale(uint32_t i) const { return load<float>(numbers + 8 * i); }
  int32_t zero_point(uint32_t i) const {
    return load<int32_t>(numbers + 8 * i + 4);
  }
};

// The views lead into `file` and `header`, so a patch is moved, not copied.
struct Patch {
  Patch() = default;
  Patch(Patch&&) = default;
  Patch& operator=(Patch&&) = default;

  std::vector<uint8_t> file;
  std::vector<uint8_t> header;
  const uint8_t* base_fingerprint = nullptr;
  std::string_view method;
  std::vector<Entry> entries;
  std::vector<Label> labels;  // ascending by id
  std::vector<Release> releases;
  Span model_metadata;
  const uint8_t* public_key = nullptr;  // null without a signature

  // The greatest class id; 0 without labels.
  uint32_t classes() const { return labels.empty() ? 0 : labels.back().id; }
};

// Reads and checks a whole file; an Error names the rule that it breaks.
Patch read_patch(std::vector<uint8_t> file);

// Checks that come last, as FORMAT.md says; the second puts labels in order.
void check_targets(const std::vector<Entry>& entries);
void sort_labels(std::vector<Label>& labels);
void check_releases(const std::vector<Release>& releases);

}  // namespace odp

#endif  // OD_PATCH_PATCH_H_
