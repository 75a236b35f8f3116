#include "fuzz/world.h"

#include <cstdlib>
#include <string_view>

#include "applier.h"
#include "patch.h"
#include "plain_floats.h"
#include "sha256.h"

namespace odp_fuzz {
namespace {

constexpr uint8_t kInt8 = 2;
constexpr uint32_t kSkeleton = 256;
constexpr uint32_t kClasses = 2;

class Writer {
 public:
  void u8(uint8_t value) { out.push_back(value); }
  void u32(uint32_t value) { number(value); }
  void u64(uint64_t value) { number(value); }
  void f32(float value) { number(value); }
  void text(std::string_view text) {
    number(static_cast<uint16_t>(text.size()));
    out.insert(out.end(), text.begin(), text.end());
  }
  void digest(const odp::Digest& digest) {
    out.insert(out.end(), digest.begin(), digest.end());
  }

  Bytes out;

 private:
  template <class T>
  void number(T value) {
    uint8_t bytes[sizeof value];
    odp::store(bytes, value);
    out.insert(out.end(), bytes, bytes + sizeof bytes);
  }
};

struct Item {
  uint8_t item_bytes;
  uint32_t items;
  uint32_t leader;  // 1 more than an index, or 0
};

class Builder {
 public:
  explicit Builder(uint8_t precision) : precision_(precision) {
    kernels_.u32(3);
    // Two copies, of which the second may share with the first.
    head("c", 0, 3, 2, 0, 0, 2);
    copy(6, 2, 1, 0, 0);
    copy(6, 2, 1, 0, 1);
    head("d", 1, 2, 1, 0, 0, 1);
    copy(4, 2, 1, 0, 0);
    head("class_head/k", 0, 2, kClasses + 1, 1, 1, 1);
    copy(2 * (kClasses + 1), kClasses + 1, 0, 1, 0);
    metadata_ = add(1, 5, 0);
  }

  Bytes base() const {
    Bytes base(kSkeleton, 0x11);
    for (const Item& item : vectors_) {
      const size_t start = (base.size() + 4 + 15) / 16 * 16;
      base.resize(start + size_t{item.item_bytes} * item.items, 0x3c);
    }
    return base;
  }

  Bytes body(const Bytes& base) const {
    Writer out;
    out.digest({});
    out.digest(odp::sha256(base.data(), base.size()));
    out.u64(base.size());
    out.u8(precision_);
    out.u32(kSkeleton);
    out.u32(kClasses);
    out.u32(kClasses + 2);
    out.u32(static_cast<uint32_t>(vectors_.size()));
    for (const Item& item : vectors_) {
      out.u8(item.item_bytes);
      out.u32(item.items);
      out.u32(item.leader);
      out.u8(0);
    }
    out.u32(metadata_ + 1);
    out.u32(2);
    for (uint32_t i = 0; i < 2; ++i) {
      out.u32(8 + 4 * i);
      out.u32(i);
    }
    out.u32(1);
    for (uint32_t value : {32u, 3u, 1u}) out.u32(value);
    out.u32(precision_ == kInt8 ? 1 : 0);
    if (precision_ == kInt8) {
      out.u32(40);
      out.u32(48);
    }
    put_tensors(out);
    out.out.insert(out.out.end(), kernels_.out.begin(), kernels_.out.end());
    return out.out;
  }

 private:
  static void put_tensors(Writer& out) {
    out.u32(1);
    out.text("n");
    out.u32(2);
    for (int i = 0; i < 8; ++i) out.f32(0.5f + 0.25f * static_cast<float>(i));
    out.u32(1);
    out.text("class_head/b");
    out.u32(kClasses + 1);
    for (uint32_t i = 0; i <= kClasses; ++i) out.f32(0.5f);
  }

  uint32_t add(uint8_t item_bytes, uint32_t items, uint32_t leader) {
    vectors_.push_back({item_bytes, items, leader});
    return static_cast<uint32_t>(vectors_.size()) - 1;
  }

  void head(const char* name, uint8_t form, uint32_t inputs, uint32_t outputs,
            uint32_t factor, uint32_t addend, uint32_t copies) {
    kernels_.text(name);
    kernels_.u8(form);
    for (uint32_t value :
         {1u, form == 1 ? 2u : 1u, inputs, outputs, factor, addend, copies}) {
      kernels_.u32(value);
    }
  }

  // References are 1 more than an index, or 0.
  void copy(uint32_t elements, uint32_t channels, uint32_t norm,
            uint32_t tensor, bool follows) {
    constexpr uint8_t kWeightBytes[] = {4, 2, 1};
    constexpr uint8_t kBiasBytes[] = {4, 2, 4};
    const bool is_int8 = precision_ == kInt8;
    const uint32_t leader = follows ? first_weights_ + 1 : 0;
    const uint32_t weights =
        add(1, elements * kWeightBytes[precision_], leader);
    if (!follows) first_weights_ = weights;
    kernels_.u32(weights);
    kernels_.u32(is_int8 ? add(4, channels, 0) + 1 : 0);
    kernels_.u32(is_int8 ? add(8, channels, 0) + 1 : 0);
    kernels_.u32(norm);
    kernels_.u32(1);
    kernels_.u32(add(1, channels * kBiasBytes[precision_], 0));
    kernels_.u32(is_int8 ? add(4, channels, 0) + 1 : 0);
    kernels_.u32(is_int8 ? add(8, channels, 0) + 1 : 0);
    kernels_.u32(tensor);
    kernels_.u32(is_int8 ? 1 : 0);
  }

  const uint8_t precision_;
  std::vector<Item> vectors_;
  Writer kernels_;
  uint32_t first_weights_ = 0;
  uint32_t metadata_ = 0;
};

void put_entry(Writer& out, uint8_t kind, uint8_t type,
               std::initializer_list<uint32_t> shape, uint32_t stored,
               const char* target) {
  out.u8(kind);
  out.u8(type);
  out.u8(0);
  out.u8(static_cast<uint8_t>(shape.size()));
  for (uint32_t size : shape) out.u32(size);
  out.u32(stored);
  out.text(target);
}

Bytes make_header(const Bytes& base, uint8_t precision) {
  Writer out;
  out.digest({});
  out.text("m");
  out.u32(5);
  put_entry(out, 2, 0, {1, 1, 3, 2}, 1, "c");
  put_entry(out, 3, 0, {1, 2, 2, 1}, 1, "d");
  put_entry(out, 5, 1, {2, 2}, 16, "n");
  put_entry(out, 1, 1, {1, 1, 2, kClasses + 1}, 24, "class_head/k");
  put_entry(out, 1, 2, {kClasses + 1}, 6, "class_head/b");
  out.u32(1);
  out.u32(kClasses);
  out.text("two");
  out.text("");
  out.u32(0);
  out.u32(precision == kInt8 ? 1 : 0);
  if (precision == kInt8) {
    out.digest(odp::sha256(base.data(), base.size()));
    out.digest({});
    out.u32(1);
    out.f32(0.5f);
    out.u32(3);
  }
  out.u32(3);
  for (int i = 0; i < 3; ++i) out.u8('x');
  return out.out;
}

Bytes make_sections() {
  Writer out;
  out.f32(0.25f);
  out.u8(0xa4);
  for (float single : {0.5f, 0.25f, -0.5f}) out.f32(single);
  out.u8(0x50);
  for (int i = 0; i < 10; ++i) out.f32(0.1f * static_cast<float>(i));
  for (int i = 0; i < 3; ++i) {
    out.u8(0);
    out.u8(0x3c);
  }
  return out.out;
}

}  // namespace

World::World(uint8_t precision) {
  const Builder builder(precision);
  base = builder.base();
  body = builder.body(base);
  header = make_header(base, precision);
  sections = make_sections();
}

const World& world_of(uint8_t precision) {
  static const World worlds[] = {World(0), World(1), World(2)};
  return worlds[precision % 3];
}

void apply(const Bytes& patch, const Bytes& sidecar, const Bytes& base,
           bool trusts_base) {
  const odp::PlainFloats floats;
  odp::Options options;
  options.trust_base = trusts_base;
  options.check_result = false;
  try {
    const odp::Patch read = odp::read_patch(patch);
    const odp::Model model =
        odp::apply_in_memory(read, {base.data(), base.size()},
                             {sidecar.data(), sidecar.size()}, options);
    // A model always ends in the labels.
    if (model.size < 22) std::abort();
    if (odp::load<uint32_t>(&model.data.get()[model.size - 22]) !=
        0x06054b50) {
      std::abort();
    }
  } catch (const odp::Error&) {
  }
}

}  // namespace odp_fuzz
