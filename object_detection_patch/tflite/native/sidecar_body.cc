// The inflated body of a sidecar, field by field.
#include "sidecar_body.h"

#include <utility>

#include "lanes.h"
#include "text.h"

namespace odp {
namespace {

constexpr size_t kDigestBytes = 32;
constexpr uint32_t kMaxSkeletonBytes = 1u << 24;
constexpr uint32_t kMaxItems = 1u << 28;
constexpr uint32_t kMaxElements = 1u << 26;
constexpr uint32_t kMaxClasses = 1u << 16;
constexpr uint32_t kMaxSide = 1u << 16;
constexpr uint32_t kMaxSizes = 1u << 6;

// The fields of the body, each within its limits.
class Fields {
 public:
  explicit Fields(Span body) : cursor(body, OD_PATCH_SIDECAR, "A body") {}

  uint32_t number(const char* what, uint32_t least, uint32_t most) {
    const uint32_t value = cursor.u32();
    if (value < least || value > most) {
      fail(OD_PATCH_SIDECAR, "In a sidecar, ", what, " must lie between ",
           least, " and ", most, ". Received: ", value, ".");
    }
    return value;
  }

  uint32_t count(uint32_t least = 0) {
    return number("a number of entries", least, kMaxCount);
  }

  // How many more entries a list has that all kernels share.
  uint32_t count_more(const char* what, size_t before) {
    const uint32_t more = count(1);
    if (before + more > kMaxCount) {
      fail(OD_PATCH_SIDECAR, "In a sidecar, all kernels together may have ",
           kMaxCount, " ", what, ". Received: ", before + more, ".");
    }
    return more;
  }

  uint32_t position() { return number("a position", 0, kMaxSkeletonBytes); }

  uint32_t side() { return number("a side of the image", 1, kMaxSide); }

  uint32_t index(const char* what, size_t count) {
    if (count == 0) {
      fail(OD_PATCH_SIDECAR, "In a sidecar, ", what, " must exist. Received: ",
           "an index, and none that it could mean.");
    }
    return number(what, 0, static_cast<uint32_t>(count) - 1);
  }

  uint32_t reference(const char* what, size_t count) {
    const uint32_t value = number(what, 0, static_cast<uint32_t>(count));
    return value == 0 ? kNone : value - 1;
  }

  std::string_view name() {
    const uint32_t length = cursor.u16();
    if (length < 1 || length > kMaxTextBytes) {
      fail(OD_PATCH_SIDECAR, "A name in a sidecar must have 1 to ",
           kMaxTextBytes, " bytes. Received: ", length, ".");
    }
    const std::string_view name = cursor.text(length);
    if (const char* fault = text_fault(name, TextRule::kName)) {
      fail(OD_PATCH_SIDECAR, "A name in a sidecar ", fault, ". Received: ",
           shown(name), ".");
    }
    return name;
  }

  Numbers numbers(uint32_t count) {
    const Numbers numbers = {cursor.take(size_t{4} * count), count};
    for (uint32_t i = 0; i < count; ++i) {
      if ((to_bits(numbers[i]) & 0x7f800000u) == 0x7f800000u) {
        fail(OD_PATCH_SIDECAR, "The numbers of a sidecar must be finite. "
             "Received: NaN or Inf.");
      }
    }
    return numbers;
  }

  Cursor cursor;
};

void read_vectors(Fields& fields, Sidecar& sidecar) {
  const uint32_t count = fields.count();
  for (uint32_t i = 0; i < count; ++i) {
    Vector vector;
    vector.item_bytes = fields.cursor.u8();
    vector.items = fields.number("the items of a vector", 0, kMaxItems);
    vector.leader = fields.reference("the reference to a leader", i);
    const uint8_t shared = fields.cursor.u8();
    if (shared > 1) {
      fail(OD_PATCH_SIDECAR, "A vector shares its leader's place (1) or not "
           "(0). Received: ", uint64_t{shared}, ".");
    }
    vector.is_shared = shared == 1;
    sidecar.vectors.push_back(vector);
  }
}

void read_positions(Fields& fields, Sidecar& sidecar) {
  const size_t vectors = sidecar.vectors.size();
  for (uint32_t left = fields.count(); left > 0; --left) {
    const uint32_t position = fields.position();
    sidecar.links.push_back({position, fields.index("a vector", vectors)});
  }
  for (uint32_t left = fields.count(); left > 0; --left) {
    const uint32_t position = fields.position();
    const uint32_t factor = fields.number("a factor", 1, kMaxCount);
    const uint32_t addend = fields.number("an addend", 0, kMaxCount);
    sidecar.class_numbers.push_back({position, factor, addend});
  }
  for (uint32_t left = fields.count(); left > 0; --left) {
    const uint32_t scale = fields.position();
    sidecar.activations.push_back({scale, fields.position()});
  }
}

void read_norms_and_biases(Fields& fields, Sidecar& sidecar) {
  for (uint32_t left = fields.count(); left > 0; --left) {
    Norm norm;
    norm.name = fields.name();
    const uint32_t channels = fields.number("channels", 1, kMaxElements);
    norm.gamma = fields.numbers(channels);
    norm.beta = fields.numbers(channels);
    norm.mean = fields.numbers(channels);
    norm.inverse_deviation = fields.numbers(channels);
    sidecar.norms.push_back(norm);
  }
  for (uint32_t left = fields.count(); left > 0; --left) {
    const std::string_view name = fields.name();
    const uint32_t size = fields.number("size of a bias", 1, kMaxElements);
    sidecar.biases.push_back({name, fields.numbers(size)});
  }
}

void read_copy(Fields& fields, Sidecar& sidecar) {
  const size_t vectors = sidecar.vectors.size();
  Copy copy;
  copy.weights = fields.index("a vector", vectors);
  copy.scales = fields.reference("the reference to scales", vectors);
  copy.zero_points = fields.reference("the reference to zero points", vectors);
  copy.norm = fields.reference("the reference to a norm",
                               sidecar.norms.size());
  copy.first_operation = static_cast<uint32_t>(sidecar.operations.size());
  copy.operations =
      fields.count_more("operations", sidecar.operations.size());
  for (uint32_t left = copy.operations; left > 0; --left) {
    Operation operation;
    operation.bias = fields.index("a vector", vectors);
    operation.bias_scales =
        fields.reference("the reference to scales", vectors);
    operation.bias_zero_points =
        fields.reference("the reference to zero points", vectors);
    operation.tensor =
        fields.reference("the reference to a bias", sidecar.biases.size());
    operation.activation = fields.reference("the reference to an activation",
                                            sidecar.activations.size());
    sidecar.operations.push_back(operation);
  }
  sidecar.copies.push_back(copy);
}

void read_kernels(Fields& fields, Sidecar& sidecar) {
  for (uint32_t left = fields.count(); left > 0; --left) {
    Kernel kernel;
    kernel.name = fields.name();
    const uint8_t form = fields.cursor.u8();
    if (form > 1) {
      fail(OD_PATCH_SIDECAR, "In a sidecar, a kernel's form must be 0 or 1. "
           "Received: ", uint64_t{form}, ".");
    }
    kernel.form = static_cast<Form>(form);
    uint64_t product = 1;
    for (uint32_t& size : kernel.shape) {
      size = fields.number("a dimension", 1, kMaxElements);
      // Both factors are within the limit here: no overflow.
      product *= size;
      if (product > kMaxElements) {
        fail(OD_PATCH_SIDECAR, "In a sidecar, a kernel may have ",
             kMaxElements, " weights. Received: more in ", shown(kernel.name),
             ".");
      }
    }
    kernel.class_factor = fields.number("a class factor", 0, kMaxCount);
    kernel.class_addend = fields.number("a class addend", 0, kMaxCount);
    kernel.first_copy = static_cast<uint32_t>(sidecar.copies.size());
    kernel.copies = fields.count_more("copies", sidecar.copies.size());
    for (uint32_t i = 0; i < kernel.copies; ++i) read_copy(fields, sidecar);
    sidecar.kernels.push_back(kernel);
  }
}

// Raises an Error unless `value` is above `before`, the last one if any.
void check_ascending(const char* what, bool is_first, uint32_t before,
                     uint32_t value) {
  if (is_first || value > before) return;
  fail(OD_PATCH_SIDECAR, "In a sidecar, the ", what, " of a size must come in "
       "ascending order, each once. Received: ", value, " after ", before,
       ".");
}

void read_words(Fields& fields, InputSize& size) {
  size.word_count = fields.count();
  size.words = fields.cursor.take(size_t{8} * size.word_count);
  for (uint32_t i = 0; i < size.word_count; ++i) {
    const uint32_t position = size.position(i);
    if (position > kMaxSkeletonBytes) {
      fail(OD_PATCH_SIDECAR, "In a sidecar, a position must lie between 0 and ",
           kMaxSkeletonBytes, ". Received: ", position, ".");
    }
    check_ascending("words", i == 0, i == 0 ? 0 : size.position(i - 1),
                    position);
  }
}

void read_contents(Fields& fields, const std::vector<Vector>& vectors,
                   InputSize& size) {
  for (uint32_t left = fields.count(); left > 0; --left) {
    Content content;
    content.vector = fields.index("a vector", vectors.size());
    const bool is_first = size.contents.empty();
    check_ascending("vectors", is_first,
                    is_first ? 0 : size.contents.back().vector,
                    content.vector);
    content.items = fields.number("the items of a vector", 0, kMaxItems);
    content.bytes = fields.cursor.take(
        size_t{content.items} * vectors[content.vector].item_bytes);
    size.contents.push_back(content);
  }
}

void read_sizes(Fields& fields, Sidecar& sidecar) {
  sidecar.height = fields.side();
  sidecar.width = fields.side();
  for (uint32_t left = fields.number("the number of sizes", 1, kMaxSizes);
       left > 0; --left) {
    InputSize size;
    size.height = fields.side();
    size.width = fields.side();
    size.base_sha256 = fields.cursor.take(kDigestBytes);
    read_words(fields, size);
    read_contents(fields, sidecar.vectors, size);
    sidecar.sizes.push_back(std::move(size));
  }
}

}  // namespace

void read_sidecar_body(Sidecar& sidecar) {
  Fields fields({sidecar.body.data(), sidecar.body.size()});
  sidecar.base_fingerprint = fields.cursor.take(kDigestBytes);
  sidecar.base_sha256 = fields.cursor.take(kDigestBytes);
  sidecar.base_bytes = fields.cursor.u64();
  const uint8_t precision = fields.cursor.u8();
  if (precision > 2) {
    fail(OD_PATCH_SIDECAR, "A precision must be 0 (float32), 1 (float16) or "
         "2 (int8). Received: ", uint64_t{precision}, ".");
  }
  sidecar.precision = static_cast<Precision>(precision);
  sidecar.skeleton_bytes =
      fields.number("the skeleton", 0, kMaxSkeletonBytes);
  sidecar.classes = fields.number("classes", 1, kMaxClasses);
  sidecar.capacity = fields.number("the capacity", 1, kMaxClasses);
  read_vectors(fields, sidecar);
  sidecar.metadata_vector = fields.reference("the reference to the metadata",
                                             sidecar.vectors.size());
  read_positions(fields, sidecar);
  read_norms_and_biases(fields, sidecar);
  read_kernels(fields, sidecar);
  if (sidecar.version == kVersionWithSizes) read_sizes(fields, sidecar);
  fields.cursor.finish();
}

}  // namespace odp
