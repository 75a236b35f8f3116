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

// The new weights of a kernel: its values are read once for all copies.
class Replacement {
 public:
  explicit Replacement(const KernelJob& job)
      : job_(job), values_(most_values(job)), scaled_(values_.size()) {
    if (job.precision != Precision::kFloat32) narrow_.resize(values_.size());
  }

  void write() {
    if (job_.precision == Precision::kInt8) settle_scales();
    for_values([&](const CopyJob& copy, const Piece& piece) {
      switch (job_.precision) {
        case Precision::kFloat32:
          return place(scaled_.data(), copy, piece);
        case Precision::kFloat16:
          return place_halves(copy, piece);
        default:
          return place_steps(copy, piece);
      }
    });
  }

 private:
  static size_t most_values(const KernelJob& job) {
    return std::min(job.rows * job.channels, kValues);
  }

  // Calls `use` for each copy and piece, its values by s' in scaled_.
  template <class Use>
  void for_values(Use use) {
    ValueReader reader(*job_.edit);
    for_pieces(job_, [&](const Piece& piece) {
      reader.read(values_.data(), piece.rows * piece.width);
      for (const CopyJob& copy : job_.copies) {
        scale_piece(copy, piece);
        use(copy, piece);
      }
    });
  }

  void scale_piece(const CopyJob& copy, const Piece& piece) {
    for (size_t row = 0; row < piece.rows; ++row) {
      const float* values = &values_[row * piece.width];
      float* out = &scaled_[row * piece.width];
      if (copy.fold == nullptr) {
        scale(values, Same{1.0f}, out, piece.width);
      } else {
        const float* scales = &copy.fold->scale[piece.first];
        scale(values, Each{scales}, out, piece.width);
      }
    }
    const size_t count = piece.rows * piece.width;
    require_finite(all_finite(scaled_.data(), count), job_.name);
  }

  void settle_scales() {
    std::vector<float> most(job_.copies.size() * job_.channels);
    for_values([&](const CopyJob& copy, const Piece& piece) {
      float* own = most.data() + index_of(copy) * job_.channels + piece.first;
      for (size_t row = 0; row < piece.rows; ++row) {
        raise_greatest(&scaled_[row * piece.width], own, piece.width);
      }
    });
    const float* found = most.data();
    for (const CopyJob& copy : job_.copies) {
      for (size_t i = 0; i < job_.channels; ++i) {
        copy.scales[i] = settled_scale(*found++ / 127.0f, copy.scales[i]);
      }
      require_finite(all_finite(copy.scales, job_.channels), job_.name);
    }
  }

  size_t index_of(const CopyJob& copy) const {
    return static_cast<size_t>(&copy - job_.copies.data());
  }

  void place_halves(const CopyJob& copy, const Piece& piece) {
    const size_t count = piece.rows * piece.width;
    require_finite(halves_of_floats(scaled_.data(), narrow_.data(), count),
                   job_.name);
    place(narrow_.data(), copy, piece);
  }

  void place_steps(const CopyJob& copy, const Piece& piece) {
    auto* steps = reinterpret_cast<int8_t*>(narrow_.data());
    for (size_t row = 0; row < piece.rows; ++row) {
      quantise(&scaled_[row * piece.width], Each{copy.scales + piece.first},
               steps + row * piece.width, piece.width);
    }
    place(steps, copy, piece);
  }

  // To where a piece lies in the file.
  template <class Item>
  void place(const Item* items, const CopyJob& copy, const Piece& piece) {
    Item* out = reinterpret_cast<Item*>(copy.out);
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
  std::vector<float> values_;
  std::vector<float> scaled_;
  std::vector<uint16_t> narrow_;  // halves or int8, before they are placed
};

}  // namespace

void write_replaced(const KernelJob& job) {
  Replacement(job).write();
}

}  // namespace odp
