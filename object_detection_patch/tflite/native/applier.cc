#include "applier.h"

#include <cstring>
#include <optional>

#include "file_io.h"
#include "file_writer.h"
#include "fit.h"
#include "hash_thread.h"
#include "sidecar.h"

namespace odp {
namespace {

constexpr uint64_t kMaxSidecarBytes = 32 + (1u << 24) + 32;

void check_base_length(const Sidecar& sidecar, Span base) {
  if (base.size == sidecar.base_bytes) return;
  fail(OD_PATCH_BASE_MISMATCH, "The base must be the file that its sidecar "
       "describes, ", sidecar.base_bytes, " bytes. Received: ", base.size,
       " bytes; was it converted or repacked again, or is the sidecar "
       "another's?");
}

void check_base_hash(const Sidecar& sidecar, const Digest& found) {
  if (std::memcmp(found.data(), sidecar.base_sha256, found.size()) == 0) {
    return;
  }
  fail(OD_PATCH_BASE_MISMATCH, "The base must be the file that its sidecar "
       "describes, SHA-256 ", hex(sidecar.base_sha256, found.size()),
       ". Received: ", hex(found.data(), found.size()),
       "; was it converted or repacked again, or is the sidecar another's?");
}

// A result and the release that says what it must be; null without one.
struct Result {
  Model model;
  const Release* release;
};

// `progress` may be null.
Result computed(const Patch& patch, Span base, Span sidecar_file,
                const Options& options, Progress* progress) {
  const Sidecar sidecar = read_sidecar(sidecar_file);
  check_fingerprint(sidecar, patch);
  check_base_length(sidecar, base);
  std::optional<HashThread> hash;
  if (!options.trust_base) hash.emplace(base);
  Result result;
  try {
    const Fit found = fit(sidecar, patch);
    result = {patched_model(sidecar, patch, found, base, progress),
              found.release};
  } catch (const Error&) {
    // Another base comes first in the order of checks, and may be the reason.
    if (hash) check_base_hash(sidecar, hash->digest());
    throw;
  }
  if (hash) check_base_hash(sidecar, hash->digest());
  return result;
}

void check_result(const Release& release, const Digest& found) {
  if (std::memcmp(found.data(), release.result_sha256, found.size()) == 0) {
    return;
  }
  fail(OD_PATCH_RESULT_MISMATCH, "The result must be the model that the "
       "publisher tested, SHA-256 ", hex(release.result_sha256, found.size()),
       ". Received: ", hex(found.data(), found.size()),
       "; tell the publisher, and use no part of it.");
}

}  // namespace

Model apply_in_memory(const Patch& patch, Span base, Span sidecar,
                      const Options& options) {
  Result result = computed(patch, base, sidecar, options, nullptr);
  if (result.release != nullptr && options.check_result) {
    const Model& model = result.model;
    check_result(*result.release, sha256(model.data.get(), model.size));
  }
  return std::move(result.model);
}

Model apply_paths(const Patch& patch, const Paths& paths,
                  const Options& options) {
  const MappedFile base(paths.base);
  const std::vector<uint8_t> sidecar =
      read_file(paths.sidecar, kMaxSidecarBytes);
  return apply_in_memory(patch, base.bytes(),
                         {sidecar.data(), sidecar.size()}, options);
}

void apply_files(const Patch& patch, const Paths& paths,
                 const Options& options) {
  check_output(paths.output, {paths.base, paths.sidecar});
  const MappedFile base(paths.base);
  const std::vector<uint8_t> sidecar =
      read_file(paths.sidecar, kMaxSidecarBytes);
  FileWriter file(paths.output);
  const Result result =
      computed(patch, base.bytes(), {sidecar.data(), sidecar.size()}, options,
               &file);
  const Span model = {result.model.data.get(), result.model.size};
  std::optional<HashThread> hash;
  if (result.release != nullptr && options.check_result) hash.emplace(model);
  file.finish(model.size);
  if (hash) check_result(*result.release, hash->digest());
  file.take_name();
}

}  // namespace odp
