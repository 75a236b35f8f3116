"""JSONs of a suite's runs -> tables, figures, one page. No TensorFlow."""
