/* Applying task patches on a device: base.tflite + sidecar + patch -> model.

   A C API for JNI, Swift and whatever else calls C. FORMAT.md in the folder
   above, and patch_file/FORMAT.md, say what the files hold and promise.

   Threads: a function may be called from any thread. One patch may be used by
   several threads at a time, as long as none closes it. The base is hashed in
   a thread that ends before the call does.

   Errors: a function that can fail returns a status. Its message is kept for
   each thread until the next call of that thread; see od_patch_last_error. */
#ifndef OD_PATCH_H_
#define OD_PATCH_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define OD_PATCH_API __attribute__((visibility("default")))
#else
#define OD_PATCH_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* What went wrong. Numbers and names stay as they are in every release. */
typedef enum od_patch_status {
  OD_PATCH_OK = 0,

  OD_PATCH_ARGUMENT = 1, /* a null pointer, or an unknown flag */
  OD_PATCH_MEMORY = 2,   /* not enough memory */
  OD_PATCH_IO = 3,       /* a file cannot be read or written */

  /* The patch breaks a rule of patch_file/FORMAT.md. */
  OD_PATCH_LENGTH = 10,
  OD_PATCH_MAGIC = 11,
  OD_PATCH_VERSION = 12,
  OD_PATCH_RESERVED = 13,
  OD_PATCH_LIMIT = 14,
  OD_PATCH_HEADER_BOUNDS = 15,
  OD_PATCH_COMPRESSION = 16,
  OD_PATCH_DIRECTORY = 17,
  OD_PATCH_TEXT = 18,
  OD_PATCH_UNKNOWN_EDIT = 19,
  OD_PATCH_UNKNOWN_VALUE_TYPE = 20,
  OD_PATCH_UNKNOWN_CODEC = 21,
  OD_PATCH_DUPLICATE_TARGET = 22,
  OD_PATCH_SHAPE = 23,
  OD_PATCH_LABEL_MAP = 24,
  OD_PATCH_SECTION_BOUNDS = 25,
  OD_PATCH_SECTION_SIZE = 26,
  OD_PATCH_PADDING = 27,
  OD_PATCH_NOT_FINITE = 28,
  OD_PATCH_SCALE = 29,
  OD_PATCH_CHECKSUM = 30,
  OD_PATCH_GRID = 31,
  OD_PATCH_GRID_STEP = 32,
  OD_PATCH_RELEASE = 33,

  /* The sidecar breaks a rule of tflite/FORMAT.md. */
  OD_PATCH_SIDECAR = 60,
  OD_PATCH_SIDECAR_VERSION = 61,

  /* The files are sound but do not make a model. */
  OD_PATCH_FINGERPRINT = 80,     /* the patch is for another base model */
  OD_PATCH_BASE_MISMATCH = 81,   /* the base is not the sidecar's */
  OD_PATCH_UNFIT_EDIT = 82,      /* an edit names no tensor, or misfits */
  OD_PATCH_MISSING_HEAD = 83,    /* a tensor of a head is not replaced */
  OD_PATCH_CAPACITY = 84,        /* no label, or more than the base allows */
  OD_PATCH_MISSING_RELEASE = 85, /* published for other bases; or for none,
                                    where the base needs it */
  OD_PATCH_ACTIVATION = 86,      /* another number of activations */
  OD_PATCH_NUMBER = 87,          /* NaN, infinite or out of range */
  OD_PATCH_RESULT_MISMATCH = 88, /* not the model that was published */
  OD_PATCH_OUTPUT = 89           /* the output would replace an input */
} od_patch_status;

/* Flags of the functions that apply. */
enum {
  /* Leave out the SHA-256 of the base, which the caller has checked before;
     its length is compared all the same. */
  OD_PATCH_TRUST_BASE = 1,
  /* Leave out the SHA-256 of the result, where the patch states one. */
  OD_PATCH_NO_RESULT_CHECK = 2
};

/* A patch file that was read and checked. */
typedef struct od_patch od_patch;

/* The name of a status, such as "base_mismatch"; "unknown" for no status.
   Lives as long as the library. */
OD_PATCH_API const char* od_patch_status_name(od_patch_status status);

/* The message of the calling thread's last call that returned a status;
   empty if it succeeded. Valid until the next such call of this thread. */
OD_PATCH_API const char* od_patch_last_error(void);

/* Reads a patch file and checks all of it. On success *patch is to be closed;
   otherwise it is null. */
OD_PATCH_API od_patch_status od_patch_open_file(const char* path,
                                                od_patch** patch);

/* The same for a file in memory, which is copied. */
OD_PATCH_API od_patch_status od_patch_open_buffer(const void* data,
                                                  size_t size,
                                                  od_patch** patch);

/* Releases a patch and every text that was got from it; null is allowed. */
OD_PATCH_API void od_patch_close(od_patch* patch);

/* The functions below describe an open patch; their texts live until it is
   closed. For a null patch they return 0 or null. */

OD_PATCH_API uint64_t od_patch_file_bytes(const od_patch* patch);

/* SHA-256 of the base model: 64 lower-case hexadecimal digits. */
OD_PATCH_API const char* od_patch_base_fingerprint(const od_patch* patch);

/* Name of the method that trained it, for people. */
OD_PATCH_API const char* od_patch_method(const od_patch* patch);

/* The greatest class id, which is the number of lines of labelmap.txt. */
OD_PATCH_API uint32_t od_patch_num_classes(const od_patch* patch);

/* The labels of the patch and their class ids, ascending; 0 if index is not
   below their number. */
OD_PATCH_API uint32_t od_patch_num_labels(const od_patch* patch);
OD_PATCH_API uint32_t od_patch_label_id(const od_patch* patch, uint32_t index);

/* What people call class `index`, counted from 0 as detectors do (so class id
   index + 1): the display name, or the name, or "???". Null if index is not
   below the number of classes. */
OD_PATCH_API const char* od_patch_label(const od_patch* patch, uint32_t index);

/* Whether the file holds a signature. It is not verified here. */
OD_PATCH_API int od_patch_is_signed(const od_patch* patch);

/* The 32 bytes of the Ed25519 public key and the 64 bytes of the signature;
   null without one. What is signed are the first od_patch_signed_bytes bytes
   of the file. Compare the key with one that you trust for another reason. */
OD_PATCH_API const uint8_t* od_patch_public_key(const od_patch* patch);
OD_PATCH_API const uint8_t* od_patch_signature(const od_patch* patch);
OD_PATCH_API uint64_t od_patch_signed_bytes(const od_patch* patch);

/* Writes the patched model to `output_path`: beside it first, synced, then
   renamed. Whatever goes wrong, an older file there stays; the inputs are
   only read. A patch that was published for another of the base's input
   sizes makes a model of that size: ask the interpreter for it. `flags` is 0
   or a sum of the flags above. */
OD_PATCH_API od_patch_status od_patch_apply_to_file(const od_patch* patch,
                                                    const char* base_path,
                                                    const char* sidecar_path,
                                                    const char* output_path,
                                                    uint32_t flags);

/* The same into memory: *data is to be given to od_patch_free_buffer. On
   failure it is null. */
OD_PATCH_API od_patch_status od_patch_apply_to_buffer(const od_patch* patch,
                                                      const char* base_path,
                                                      const char* sidecar_path,
                                                      uint32_t flags,
                                                      uint8_t** data,
                                                      size_t* size);

/* The same with base and sidecar in memory, such as mapped assets. A base
   that does not lie at a multiple of 16 bytes is copied first. */
OD_PATCH_API od_patch_status od_patch_apply_buffers(
    const od_patch* patch, const void* base, size_t base_size,
    const void* sidecar, size_t sidecar_size, uint32_t flags, uint8_t** data,
    size_t* size);

/* Releases the result of one of the two functions above; null is allowed. */
OD_PATCH_API void od_patch_free_buffer(uint8_t* data);

#ifdef __cplusplus
}
#endif

#endif /* OD_PATCH_H_ */
