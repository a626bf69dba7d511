// Reed-Solomon over equally long columns of bytes (ISA-L, Cauchy matrix): of `data` rows and
// `parity` rows any `data` many give back all others. Immutable; thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace entrepot::transfer {

class ErasureCode {
 public:
  using Row = std::vector<unsigned char>;

  // REQUIRES: data and parity are at least 1, together at most 255.
  ErasureCode(std::size_t data, std::size_t parity);

  std::size_t data() const { return data_; }
  std::size_t parity() const { return parity_; }
  // Rows 0 to data-1 give rows data to data+parity-1. All rows of one call are of one length.
  void encode(std::vector<Row>& data, std::vector<Row>& parity) const;
  // `there`: numbers of the rows in `rows`, as many as `data`; `wanted`: data rows.
  void decode(const std::vector<std::size_t>& there, std::vector<Row>& rows,
              const std::vector<std::size_t>& wanted, std::vector<Row>& found) const;

 private:
  std::size_t data_;
  std::size_t parity_;
  std::vector<unsigned char> matrix_;  // data + parity rows of `data` coefficients
};

}  // namespace entrepot::transfer
