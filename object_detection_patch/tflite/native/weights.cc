#include "weights.h"

#include "weights_by_form.h"

namespace odp {

void write_weights(const KernelJob& job) {
  if (job.edit != nullptr && job.edit->kind == kReplace) {
    write_replaced(job);
  } else if (job.edit != nullptr && job.edit->is_adapter()) {
    write_adapted(job);
  } else if (job.form == Form::kConvolution) {
    write_convolution(job);
  } else {
    write_depthwise(job);
  }
}

}  // namespace odp
