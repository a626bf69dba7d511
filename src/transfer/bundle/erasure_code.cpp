#include "transfer/bundle/erasure_code.hpp"

#include <isa-l/erasure_code.h>

#include <algorithm>
#include <stdexcept>

namespace entrepot::transfer {
namespace {

// What ISA-L keeps for each coefficient.
constexpr std::size_t table_size = 32;

std::vector<unsigned char*> starts(std::vector<ErasureCode::Row>& rows) {
  std::vector<unsigned char*> found;
  found.reserve(rows.size());
  for (auto& row : rows) found.push_back(row.data());
  return found;
}

// `to` = coefficients * `from`.
void multiply(std::vector<unsigned char>& coefficients, std::vector<ErasureCode::Row>& from,
              std::vector<ErasureCode::Row>& to) {
  const auto columns = static_cast<int>(from.size());
  const auto rows = static_cast<int>(to.size());
  std::vector<unsigned char> tables(table_size * from.size() * to.size());
  ec_init_tables(columns, rows, coefficients.data(), tables.data());
  auto source = starts(from);
  auto target = starts(to);
  ec_encode_data(static_cast<int>(from.front().size()), columns, rows, tables.data(), source.data(),
                 target.data());
}

}  // namespace

ErasureCode::ErasureCode(std::size_t data, std::size_t parity)
    : data_(data), parity_(parity), matrix_((data + parity) * data) {
  gf_gen_cauchy1_matrix(matrix_.data(), static_cast<int>(data + parity), static_cast<int>(data));
}

void ErasureCode::encode(std::vector<Row>& data, std::vector<Row>& parity) const {
  std::vector<unsigned char> coefficients(
      matrix_.begin() + static_cast<std::ptrdiff_t>(data_ * data_), matrix_.end());
  multiply(coefficients, data, parity);
}

void ErasureCode::decode(const std::vector<std::size_t>& there, std::vector<Row>& rows,
                         const std::vector<std::size_t>& wanted, std::vector<Row>& found) const {
  const auto row_of = [&](const std::vector<unsigned char>& matrix, std::size_t row) {
    return matrix.begin() + static_cast<std::ptrdiff_t>(row * data_);
  };
  std::vector<unsigned char> held(data_ * data_);
  for (std::size_t i = 0; i < data_; ++i) {
    std::copy_n(row_of(matrix_, there[i]), data_,
                held.begin() + static_cast<std::ptrdiff_t>(i * data_));
  }
  std::vector<unsigned char> inverse(data_ * data_);
  if (gf_invert_matrix(held.data(), inverse.data(), static_cast<int>(data_)) != 0) {
    throw std::logic_error("a Cauchy matrix that has no inverse");
  }
  std::vector<unsigned char> coefficients;
  for (const auto row : wanted) {
    coefficients.insert(coefficients.end(), row_of(inverse, row), row_of(inverse, row + 1));
  }
  multiply(coefficients, rows, found);
}

}  // namespace entrepot::transfer
