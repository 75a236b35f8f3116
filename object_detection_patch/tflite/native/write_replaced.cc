#include <algorithm>
#include <cstring>

#include "channel.h"
#include "half.h"
#include "lanes.h"
#include "weights_by_form.h"

namespace odp {
namespace {

// Values at once: whole rows, or a part of one that is longer.
constexpr size_t kValues = 8192;

struct Piece {
  size_t row;
  size_t rows;
  size_t first;  // channel
  size_t width;  // channels
};

// Calls `use` with the pieces of a kernel, in the order of its values.
template <class Use>
void for_pieces(const KernelJob& job, Use use) {
  const size_t width = std::min(job.channels, kValues);
  const size_t height = kValues / width;
  for (size_t row = 0; row < job.rows; row += height) {
    const size_t rows = std::min(height, job.rows - row);
    for (size_t first = 0; first < job.channels; first += width) {
      use(Piece{row, rows, first, std::min(width, job.channels - first)});
    }
  }
}

// New weights of one copy.
class Replacement {
 public:
  Replacement(const KernelJob& job, const CopyJob& copy)
      : job_(job), copy_(copy), values_(kValues), scaled_(kValues) {
    if (job.precision != Precision::kFloat32) narrow_.resize(kValues);
  }

  void write() {
    if (job_.precision == Precision::kInt8) settle_scales();
    ValueReader reader(*job_.edit);
    for_pieces(job_, [&](const Piece& piece) {
      read(reader, piece);
      switch (job_.precision) {
        case Precision::kFloat32:
          return place(scaled_.data(), piece);
        case Precision::kFloat16:
          return place_halves(piece);
        default:
          return place_steps(piece);
      }
    });
  }

 private:
  // The values of a piece, by s', into scaled_.
  void read(ValueReader& reader, const Piece& piece) {
    const size_t count = piece.rows * piece.width;
    reader.read(values_.data(), count);
    for (size_t row = 0; row < piece.rows; ++row) {
      const float* values = &values_[row * piece.width];
      float* out = &scaled_[row * piece.width];
      if (copy_.fold == nullptr) {
        scale(values, Same{1.0f}, out, piece.width);
      } else {
        const float* scales = &copy_.fold->scale[piece.first];
        scale(values, Each{scales}, out, piece.width);
      }
    }
    require_finite(all_finite(scaled_.data(), count), job_.name);
  }

  void settle_scales() {
    std::vector<float> most(job_.channels);
    ValueReader reader(*job_.edit);
    for_pieces(job_, [&](const Piece& piece) {
      read(reader, piece);
      for (size_t row = 0; row < piece.rows; ++row) {
        raise_greatest(&scaled_[row * piece.width], &most[piece.first],
                       piece.width);
      }
    });
    for (size_t i = 0; i < job_.channels; ++i) {
      copy_.scales[i] = settled_scale(most[i] / 127.0f, copy_.scales[i]);
    }
    require_finite(all_finite(copy_.scales, job_.channels), job_.name);
  }

  void place_halves(const Piece& piece) {
    const size_t count = piece.rows * piece.width;
    require_finite(halves_of_floats(scaled_.data(), narrow_.data(), count),
                   job_.name);
    place(narrow_.data(), piece);
  }

  void place_steps(const Piece& piece) {
    auto* steps = reinterpret_cast<int8_t*>(narrow_.data());
    for (size_t row = 0; row < piece.rows; ++row) {
      quantise(&scaled_[row * piece.width], Each{copy_.scales + piece.first},
               steps + row * piece.width, piece.width);
    }
    place(steps, piece);
  }

  // To where a piece lies in the file.
  template <class Item>
  void place(const Item* items, const Piece& piece) {
    Item* out = reinterpret_cast<Item*>(copy_.out);
    if (job_.form == Form::kDepthwise) {
      // A piece is whole rows or lies within one: its items are neighbours.
      std::memcpy(out + piece.row * job_.channels + piece.first, items,
                  piece.rows * piece.width * sizeof(Item));
      return;
    }
    for (size_t i = 0; i < piece.width; ++i) {
      Item* run = out + (piece.first + i) * job_.rows + piece.row;
      for (size_t row = 0; row < piece.rows; ++row) {
        run[row] = items[row * piece.width + i];
      }
    }
  }

  const KernelJob& job_;
  const CopyJob& copy_;
  std::vector<float> values_;
  std::vector<float> scaled_;
  std::vector<uint16_t> narrow_;  // halves or int8, before they are placed
};

}  // namespace

void write_replaced(const KernelJob& job) {
  for (const CopyJob& copy : job.copies) Replacement(job, copy).write();
}

}  // namespace odp
