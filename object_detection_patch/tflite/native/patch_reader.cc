// Bytes -> patch, in the order of patch_file/FORMAT.md, Checks.
#include <algorithm>
#include <cstring>
#include <utility>

#include "directory.h"
#include "inflate.h"
#include "patch.h"
#include "sections.h"

namespace odp {
namespace {

constexpr uint8_t kMagic[8] = {0x89, 'O', 'D', 'P', '\r', '\n', 0x1a, '\n'};
constexpr size_t kPreludeBytes = 32;
constexpr size_t kChecksumBytes = 32;
constexpr size_t kSignedBytes = 32 + 64;
constexpr uint32_t kSigned = 1;
constexpr uint64_t kMaxHeaderBytes = 1u << 22;
constexpr uint64_t kMaxFileBytes = (1u << 28) + (1u << 23);

struct Prelude {
  uint32_t version;
  uint32_t header_stored;
  uint32_t header_raw;
  uint32_t flags;
};

Prelude read_prelude(Span file) {
  if (file.size < kPreludeBytes + kChecksumBytes) {
    fail(OD_PATCH_LENGTH, "A patch file has at least ",
         kPreludeBytes + kChecksumBytes, " bytes. Received: ", file.size,
         "; it is cut short or no patch file.");
  }
  Cursor fields(file, OD_PATCH_LENGTH, "A prelude");
  if (std::memcmp(fields.take(8), kMagic, 8) != 0) {
    fail(OD_PATCH_MAGIC, "A patch file begins with 89 4f 44 50 0d 0a 1a 0a. "
         "Received: ", hex(file.data, 8), ".");
  }
  Prelude prelude;
  prelude.version = fields.u32();
  if (prelude.version < 1 || prelude.version > 4) {
    fail(OD_PATCH_VERSION, "This program reads patch files of version 1 to "
         "4. Received: version ", prelude.version,
         "; install a program that knows it.");
  }
  prelude.header_stored = fields.u32();
  prelude.header_raw = fields.u32();
  prelude.flags = fields.u32();
  const uint32_t known = prelude.version == 1 ? 0 : kSigned;
  if ((prelude.flags & ~known) != 0) {
    fail(OD_PATCH_RESERVED, "Bytes 20 to 23 of a patch file must be flags "
         "that its version has. Received: ", prelude.flags, ".");
  }
  const uint64_t stated = fields.u64();
  if (stated != file.size) {
    fail(OD_PATCH_LENGTH, "This patch file says that it has ", stated,
         " bytes. Received: ", file.size, "; fetch or copy it again.");
  }
  if (file.size > kMaxFileBytes) {
    fail(OD_PATCH_LIMIT, "A patch file may have ", kMaxFileBytes,
         " bytes. Received: ", file.size, ".");
  }
  return prelude;
}

// `end`: where signature or checksum begins.
std::vector<uint8_t> inflated_header(const Prelude& prelude, Span file,
                                     int64_t end) {
  const uint64_t stored = prelude.header_stored;
  const uint64_t raw = prelude.header_raw;
  if (std::max(stored, raw) > kMaxHeaderBytes) {
    fail(OD_PATCH_LIMIT, "A header may have ", kMaxHeaderBytes,
         " bytes. Received: ", stored, " stored, ", raw, " inflated.");
  }
  if (static_cast<int64_t>(kPreludeBytes + stored) > end) {
    fail(OD_PATCH_HEADER_BOUNDS, "The header must end before the signature "
         "and the checksum. Received: end at ", kPreludeBytes + stored,
         " of ", file.size, ".");
  }
  check_inflation("The header", stored, raw);
  Inflater stream("The header", {file.data + kPreludeBytes, stored});
  std::vector<uint8_t> header(raw);
  stream.read(header.data(), header.size());
  stream.finish();
  return header;
}

// The sections lie one after the other, from `begin` to `end`.
void place_sections(std::vector<Entry>& entries, const uint8_t* begin,
                    const uint8_t* end) {
  uint64_t needed = 0;
  for (const Entry& entry : entries) {
    needed += 4 * entry.singles() + uint64_t{entry.stored_bytes};
  }
  const auto available = static_cast<uint64_t>(end - begin);
  if (needed != available) {
    fail(OD_PATCH_SECTION_BOUNDS, "The sections must fill the file from the "
         "header to the signature or checksum, ", available,
         " bytes. Received: sections of ", needed, ".");
  }
  for (Entry& entry : entries) {
    entry.section = begin;
    begin += 4 * entry.singles() + size_t{entry.stored_bytes};
  }
}

void check_checksum(Span file) {
  const size_t size = file.size - kChecksumBytes;
  const Digest found = sha256(file.data, size);
  if (std::memcmp(found.data(), file.data + size, found.size()) != 0) {
    fail(OD_PATCH_CHECKSUM, "A patch file ends with the SHA-256 of what "
         "stands before, ", hex(found.data(), found.size()), ". Received: ",
         hex(file.data + size, kChecksumBytes),
         "; the file is damaged, fetch or copy it again.");
  }
}

}  // namespace

Patch read_patch(std::vector<uint8_t> file) {
  Patch patch;
  patch.file = std::move(file);
  const Span whole = {patch.file.data(), patch.file.size()};
  const Prelude prelude = read_prelude(whole);
  const bool is_signed = (prelude.flags & kSigned) != 0;
  const size_t tail = kChecksumBytes + (is_signed ? kSignedBytes : 0);
  const int64_t end =
      static_cast<int64_t>(whole.size) - static_cast<int64_t>(tail);
  patch.header = inflated_header(prelude, whole, end);
  read_directory(patch, prelude.version);
  place_sections(patch.entries,
                 whole.data + kPreludeBytes + prelude.header_stored,
                 whole.data + end);
  for (const Entry& entry : patch.entries) check_section(entry);
  if (is_signed) patch.public_key = whole.data + end;
  check_targets(patch.entries);
  sort_labels(patch.labels);
  check_releases(patch.releases);
  check_checksum(whole);
  return patch;
}

}  // namespace odp
