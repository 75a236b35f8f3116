// The C API: handles, statuses, and nothing thrown across it.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "applier.h"
#include "file_io.h"
#include "include/od_patch.h"
#include "patch.h"
#include "plain_floats.h"

struct od_patch {
  odp::Patch patch;
  std::string path;  // empty for a patch from memory
  std::string fingerprint;
  std::string method;
  std::vector<std::string> labels;  // of the ids that have one, ascending
};

namespace {

constexpr uint64_t kMaxPatchBytes = (1u << 28) + (1u << 23);
constexpr uint32_t kFlags = OD_PATCH_TRUST_BASE | OD_PATCH_NO_RESULT_CHECK;
constexpr size_t kMostMessage = 2048;
constexpr uintptr_t kAlignment = 16;

// An array, so that keeping a message needs no memory.
thread_local char last_message[kMostMessage] = "";

od_patch_status failed(od_patch_status status, const char* message) {
  std::strncpy(last_message, message, kMostMessage - 1);
  return status;
}

// Runs what may throw, and tells what it threw.
template <class Work>
od_patch_status guarded(Work work) {
  last_message[0] = '\0';
  const odp::PlainFloats floats;
  try {
    work();
    return OD_PATCH_OK;
  } catch (const odp::Error& error) {
    return failed(error.status(), error.what());
  } catch (const std::bad_alloc&) {
    return failed(OD_PATCH_MEMORY, "There must be enough memory. Received: "
                  "too little.");
  } catch (const std::exception& error) {
    return failed(OD_PATCH_IO, error.what());
  }
}

void require(bool holds, const char* what) {
  if (holds) return;
  odp::fail(OD_PATCH_ARGUMENT, what, " must be given. Received: null.");
}

odp::Options options_of(uint32_t flags) {
  if ((flags & ~kFlags) != 0) {
    odp::fail(OD_PATCH_ARGUMENT, "`flags` must be a sum of known flags. "
              "Received: ", flags, ".");
  }
  odp::Options options;
  options.trust_base = (flags & OD_PATCH_TRUST_BASE) != 0;
  options.check_result = (flags & OD_PATCH_NO_RESULT_CHECK) == 0;
  return options;
}

od_patch* opened(std::vector<uint8_t> file, std::string path) {
  auto handle = std::make_unique<od_patch>();
  handle->patch = odp::read_patch(std::move(file));
  handle->path = std::move(path);
  const odp::Patch& patch = handle->patch;
  handle->fingerprint = odp::hex(patch.base_fingerprint, 32);
  handle->method = patch.method;
  for (const odp::Label& label : patch.labels) {
    handle->labels.emplace_back(label.shown());
  }
  return handle.release();
}

void hand_over(odp::Model model, uint8_t** data, size_t* size) {
  *size = model.size;
  *data = model.data.release();
}

// The same bytes where floats may be read in place.
class AlignedBytes {
 public:
  AlignedBytes(const void* data, size_t size)
      : bytes_{static_cast<const uint8_t*>(data), size} {
    if (reinterpret_cast<uintptr_t>(data) % kAlignment == 0) return;
    copy_.assign(bytes_.data, bytes_.data + size);
    bytes_.data = copy_.data();
  }

  odp::Span bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> copy_;
  odp::Span bytes_;
};

}  // namespace

const char* od_patch_last_error(void) { return last_message; }

od_patch_status od_patch_open_file(const char* path, od_patch** patch) {
  if (patch != nullptr) *patch = nullptr;
  return guarded([&] {
    require(path != nullptr, "`path`");
    require(patch != nullptr, "`patch`");
    *patch = opened(odp::read_file(path, kMaxPatchBytes), path);
  });
}

od_patch_status od_patch_open_buffer(const void* data, size_t size,
                                     od_patch** patch) {
  if (patch != nullptr) *patch = nullptr;
  return guarded([&] {
    require(data != nullptr || size == 0, "`data`");
    require(patch != nullptr, "`patch`");
    const auto* bytes = static_cast<const uint8_t*>(data);
    *patch = opened(std::vector<uint8_t>(bytes, bytes + size), "");
  });
}

void od_patch_close(od_patch* patch) { delete patch; }

uint64_t od_patch_file_bytes(const od_patch* patch) {
  return patch ? patch->patch.file.size() : 0;
}

const char* od_patch_base_fingerprint(const od_patch* patch) {
  return patch ? patch->fingerprint.c_str() : nullptr;
}

const char* od_patch_method(const od_patch* patch) {
  return patch ? patch->method.c_str() : nullptr;
}

uint32_t od_patch_num_classes(const od_patch* patch) {
  return patch ? patch->patch.classes() : 0;
}

uint32_t od_patch_num_labels(const od_patch* patch) {
  return patch ? static_cast<uint32_t>(patch->labels.size()) : 0;
}

uint32_t od_patch_label_id(const od_patch* patch, uint32_t index) {
  if (index >= od_patch_num_labels(patch)) return 0;
  return patch->patch.labels[index].id;
}

const char* od_patch_label(const od_patch* patch, uint32_t index) {
  if (index >= od_patch_num_classes(patch)) return nullptr;
  const auto& labels = patch->patch.labels;
  const auto found = std::lower_bound(
      labels.begin(), labels.end(), index + 1,
      [](const odp::Label& label, uint32_t id) { return label.id < id; });
  const bool is_there = found != labels.end() && found->id == index + 1;
  if (!is_there || found->shown().empty()) return "???";
  return patch->labels[static_cast<size_t>(found - labels.begin())].c_str();
}

int od_patch_is_signed(const od_patch* patch) {
  return patch && patch->patch.public_key ? 1 : 0;
}

const uint8_t* od_patch_public_key(const od_patch* patch) {
  return patch ? patch->patch.public_key : nullptr;
}

const uint8_t* od_patch_signature(const od_patch* patch) {
  return od_patch_is_signed(patch) ? patch->patch.public_key + 32 : nullptr;
}

uint64_t od_patch_signed_bytes(const od_patch* patch) {
  // All but the signature and the checksum.
  return od_patch_is_signed(patch) ? od_patch_file_bytes(patch) - 96 : 0;
}

od_patch_status od_patch_apply_to_file(const od_patch* patch,
                                       const char* base_path,
                                       const char* sidecar_path,
                                       const char* output_path,
                                       uint32_t flags) {
  return guarded([&] {
    require(patch != nullptr, "`patch`");
    require(base_path != nullptr, "`base_path`");
    require(sidecar_path != nullptr, "`sidecar_path`");
    require(output_path != nullptr, "`output_path`");
    const odp::Options options = options_of(flags);
    if (!patch->path.empty()) odp::check_output(output_path, {patch->path});
    odp::apply_files(patch->patch, {base_path, sidecar_path, output_path},
                     options);
  });
}

od_patch_status od_patch_apply_to_buffer(const od_patch* patch,
                                         const char* base_path,
                                         const char* sidecar_path,
                                         uint32_t flags, uint8_t** data,
                                         size_t* size) {
  if (data != nullptr) *data = nullptr;
  return guarded([&] {
    require(patch != nullptr, "`patch`");
    require(base_path != nullptr, "`base_path`");
    require(sidecar_path != nullptr, "`sidecar_path`");
    require(data != nullptr && size != nullptr, "`data` and `size`");
    const odp::Options options = options_of(flags);
    hand_over(odp::apply_paths(patch->patch, {base_path, sidecar_path, ""},
                               options),
              data, size);
  });
}

od_patch_status od_patch_apply_buffers(const od_patch* patch,
                                       const void* base, size_t base_size,
                                       const void* sidecar,
                                       size_t sidecar_size, uint32_t flags,
                                       uint8_t** data, size_t* size) {
  if (data != nullptr) *data = nullptr;
  return guarded([&] {
    require(patch != nullptr, "`patch`");
    require(base != nullptr || base_size == 0, "`base`");
    require(sidecar != nullptr || sidecar_size == 0, "`sidecar`");
    require(data != nullptr && size != nullptr, "`data` and `size`");
    const odp::Options options = options_of(flags);
    const AlignedBytes aligned(base, base_size);
    const auto* bytes = static_cast<const uint8_t*>(sidecar);
    hand_over(odp::apply_in_memory(patch->patch, aligned.bytes(),
                                   {bytes, sidecar_size}, options),
              data, size);
  });
}

void od_patch_free_buffer(uint8_t* data) { std::free(data); }
