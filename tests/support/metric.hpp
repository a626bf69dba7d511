// One figure of the metrics, read as a scraper reads it.
#pragma once

#include <cstdlib>
#include <stdexcept>
#include <string>

#include "entrepot/base/metrics.hpp"

namespace entrepot::test {

// `row` with its labels, as it is rendered.
inline double value_of(const base::Metrics& metrics, const std::string& row) {
  const auto text = "\n" + metrics.render();
  const auto found = text.find("\n" + row + " ");
  if (found == text.npos) throw std::invalid_argument("there is no metric " + row);
  return std::strtod(text.c_str() + found + row.size() + 2, nullptr);
}

}  // namespace entrepot::test
