// The bytes received and not yet understood. Small while a connection is idle, as there may be
// thousands; grows up to one request head.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "http/request_head.hpp"

namespace entrepot::http {

class ReadBuffer {
 public:
  std::string_view data() const { return {bytes_.get() + begin_, end_ - begin_}; }
  bool empty() const { return begin_ == end_; }

  void consume(std::size_t size) {
    begin_ += size;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  std::span<char> bytes() { return {bytes_.get() + begin_, end_ - begin_}; }

  // Bytes of what follows that were received elsewhere; only while it is empty.
  void put_back(std::string_view rest) {
    if (rest.size() > capacity_) resize(rest.size());
    std::copy(rest.begin(), rest.end(), bytes_.get());
    begin_ = 0;
    end_ = rest.size();
  }

  // Room for at least one byte. A head never needs more than most_head_bytes.
  std::span<char> room() {
    if (begin_ > 0) {
      std::memmove(bytes_.get(), bytes_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == capacity_) resize(capacity_ * 2);
    return {bytes_.get() + end_, capacity_ - end_};
  }
  void commit(std::size_t size) { end_ += size; }

  // Gives back what a large head needed.
  void shrink() {
    if (empty() && capacity_ > small_) resize(small_);
  }

 private:
  static constexpr std::size_t small_ = 2 * 1024;

  void resize(std::size_t capacity) {
    auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
    std::copy_n(bytes_.get(), end_, bytes.get());
    bytes_ = std::move(bytes);
    capacity_ = capacity;
  }

  std::size_t capacity_ = small_;
  std::unique_ptr<char[]> bytes_ = std::make_unique_for_overwrite<char[]>(small_);
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace entrepot::http
