#include "directory.h"

#include <algorithm>
#include <string>

#include "inflate.h"
#include "text.h"

namespace odp {
namespace {

constexpr uint32_t kMaxEdits = 1u << 16;
constexpr uint32_t kMaxLabels = 1u << 16;
constexpr uint32_t kMaxMetadataBytes = 1u << 18;
constexpr uint32_t kMaxReleases = 64;
constexpr uint32_t kMaxActivations = 1u << 16;
constexpr uint32_t kMaxModelMetadataBytes = 1u << 16;
constexpr uint32_t kMaxGridGroups = 1u << 16;
constexpr uint32_t kMaxMixedOutputs = 1u << 12;
constexpr size_t kDigestBytes = 32;

uint32_t read_count(Cursor& fields, const char* what, uint32_t limit) {
  const uint32_t count = fields.u32();
  if (count > limit) {
    fail(OD_PATCH_LIMIT, "A patch file may hold ", limit, " ", what,
         ". Received: ", count, ".");
  }
  return count;
}

std::string_view read_text(Cursor& fields, const char* what, TextRule rule) {
  const uint32_t length = fields.u16();
  if (length > kMaxTextBytes) {
    fail(OD_PATCH_LIMIT, "A text may have ", kMaxTextBytes,
         " bytes. Received: ", length, " as a ", what, ".");
  }
  const std::string_view text = fields.text(length);
  if (const char* fault = text_fault(text, rule)) {
    fail(OD_PATCH_TEXT, "A ", what, " ", fault, ". Received: ", shown(text),
         ".");
  }
  return text;
}

// Whether its value type is a grid that the version has.
bool has_grid(const Entry& entry, uint32_t version) {
  return entry.is_grid() && version >= (entry.value_type == kGrid ? 2 : 4);
}

void check_numbers(const Entry& entry, uint32_t version) {
  const uint8_t last_kind = version > 2 ? kMixOutputsByProduct : kScaleOffset;
  if (entry.kind < kReplace || entry.kind > last_kind) {
    fail(OD_PATCH_UNKNOWN_EDIT, "An edit's kind must be one of 1 to ",
         uint64_t{last_kind}, ". Received: ", uint64_t{entry.kind}, " for ", shown(entry.target),
         "; a newer version of this program may know it.");
  }
  const bool is_float =
      entry.value_type == kFloat32 || entry.value_type == kFloat16;
  const bool is_allowed = entry.is_masked()
                              ? entry.value_type == kBits
                              : is_float || has_grid(entry, version);
  if (!is_allowed) {
    fail(OD_PATCH_UNKNOWN_VALUE_TYPE, "An edit's value type must be one that "
         "its kind and version allow. Received: ", uint64_t{entry.value_type},
         " for ", shown(entry.target), ".");
  }
  const uint8_t last = version > 1 && is_float ? kPlanes : kZlib;
  if (entry.codec > last) {
    fail(OD_PATCH_UNKNOWN_CODEC, "A section's codec must be one of 0 to ",
         uint64_t{last}, ". Received: ", uint64_t{entry.codec}, " for ",
         shown(entry.target), ".");
  }
}

bool is_matrix(const Entry& entry) {
  if (entry.rank != 2) return false;
  const uint32_t rows = entry.shape[0];
  const uint32_t columns = entry.shape[1];
  switch (entry.kind) {
    case kAddAtCentre:
      return true;
    case kMixOutputs:
      return rows == columns && columns <= kMaxMixedOutputs;
    case kMixOutputsByProduct:
      return uint64_t{2} * rows <= columns && columns % 2 == 0 &&
             columns <= 2 * kMaxMixedOutputs;
    default:
      return uint64_t{2} * rows <= columns;
  }
}

void check_shape(Entry& entry) {
  const uint32_t* shape = entry.shape;
  if (entry.rank > kMaxRank) {
    fail(OD_PATCH_SHAPE, "A tensor may have ", kMaxRank,
         " dimensions. Received: ", uint64_t{entry.rank}, " for ",
         shown(entry.target), ".");
  }
  if (entry.kind == kScaleOffset && (entry.rank != 2 || shape[0] != 2)) {
    fail(OD_PATCH_SHAPE, "A BatchNorm's shape must be (2, channels). "
         "Received another for ", shown(entry.target), ".");
  }
  if (entry.is_adapter() && !is_matrix(entry)) {
    fail(OD_PATCH_SHAPE, "A matrix between channels must have 2 dimensions; as "
         "a product, a rank of at most half of its columns; to mix outputs, at "
         "most ", kMaxMixedOutputs, " of them both ways. Received another for ",
         shown(entry.target), ".");
  }
  uint64_t product = 1;
  for (uint32_t i = 0; i < entry.rank; ++i) {
    // Both factors are within the limit here: no overflow.
    product *= shape[i] <= kMaxElements ? shape[i] : 0;
    if (product < 1 || product > kMaxElements) {
      fail(OD_PATCH_SHAPE, "Dimensions must be at least 1, and their product "
           "at most ", kMaxElements, ". Received others for ",
           shown(entry.target), ".");
    }
  }
  entry.elements = static_cast<uint32_t>(product);
}

void check_grid(const Entry& entry) {
  const Grid& grid = entry.grid;
  const uint64_t unit = uint64_t{grid.inner} * grid.groups;
  if (grid.bits < 2 || grid.bits > 8 || grid.groups > kMaxGridGroups ||
      unit == 0 || entry.elements % unit != 0) {
    fail(OD_PATCH_GRID, "A grid has codes of 2 to 8 bits and 1 to ",
         kMaxGridGroups, " groups, and its `inner` times its groups divide "
         "its tensor's ", entry.elements, " numbers. Received: ",
         uint64_t{grid.bits}, " bits, ", grid.inner, " times ", grid.groups,
         " for ", shown(entry.target), ".");
  }
}

void check_size(const Entry& entry) {
  const uint64_t raw = entry.raw_bytes();
  if (entry.codec != kStored) {
    check_inflation("The section of " + shown(entry.target),
                    entry.stored_bytes, raw);
  } else if (entry.stored_bytes != raw) {
    fail(OD_PATCH_SECTION_SIZE, "The section of ", shown(entry.target),
         " must have ", raw, " bytes. Received: ", entry.stored_bytes, ".");
  }
}

Entry read_entry(Cursor& fields, uint32_t version) {
  Entry entry;
  entry.kind = fields.u8();
  entry.value_type = fields.u8();
  entry.codec = fields.u8();
  entry.rank = fields.u8();
  for (uint32_t i = 0; i < entry.rank; ++i) {
    const uint32_t size = fields.u32();
    if (i < kMaxRank) entry.shape[i] = size;
  }
  if (has_grid(entry, version)) {
    entry.grid.bits = fields.u8();
    entry.grid.inner = fields.u32();
    entry.grid.groups = fields.u32();
  }
  entry.stored_bytes = fields.u32();
  entry.target = read_text(fields, "target", TextRule::kName);
  check_numbers(entry, version);
  check_shape(entry);
  if (entry.is_grid()) check_grid(entry);
  check_size(entry);
  return entry;
}

void read_entries(Cursor& fields, Patch& patch, uint32_t version) {
  const uint32_t count = read_count(fields, "edits", kMaxEdits);
  uint64_t elements = 0;
  for (uint32_t i = 0; i < count; ++i) {
    patch.entries.push_back(read_entry(fields, version));
    elements += patch.entries.back().elements;
    if (elements > kMaxElements) {
      fail(OD_PATCH_LIMIT, "A patch file may hold ", kMaxElements,
           " elements. Received: more.");
    }
  }
}

void read_labels(Cursor& fields, Patch& patch) {
  const uint32_t count = read_count(fields, "labels", kMaxLabels);
  for (uint32_t i = 0; i < count; ++i) {
    Label label;
    label.id = fields.u32();
    label.name = read_text(fields, "name of a label", TextRule::kText);
    label.display_name =
        read_text(fields, "display name of a label", TextRule::kText);
    patch.labels.push_back(label);
  }
}

void read_releases(Cursor& fields, Patch& patch) {
  const uint32_t count = read_count(fields, "releases", kMaxReleases);
  uint32_t activations = 0;
  for (uint32_t i = 0; i < count; ++i) {
    Release release;
    release.base_sha256 = fields.take(kDigestBytes);
    release.result_sha256 = fields.take(kDigestBytes);
    release.activations =
        read_count(fields, "activations", kMaxActivations - activations);
    activations += release.activations;
    release.numbers = fields.take(size_t{8} * release.activations);
    patch.releases.push_back(release);
  }
}

}  // namespace

void read_directory(Patch& patch, uint32_t version) {
  Cursor fields({patch.header.data(), patch.header.size()},
                OD_PATCH_DIRECTORY, "A header");
  patch.base_fingerprint = fields.take(kDigestBytes);
  patch.method = read_text(fields, "method", TextRule::kName);
  read_entries(fields, patch, version);
  read_labels(fields, patch);
  fields.take(read_count(fields, "bytes of metadata", kMaxMetadataBytes));
  if (version > 1) {
    read_releases(fields, patch);
    const uint32_t size = read_count(fields, "bytes of model metadata",
                                     kMaxModelMetadataBytes);
    patch.model_metadata = {fields.take(size), size};
  }
  fields.finish();
}

}  // namespace odp
