// An Index in memory that can be told to fail, and tells how often it was asked.
#pragma once

#include <cerrno>
#include <system_error>

#include "support/memory_index.hpp"

namespace entrepot::test {

class FaultyIndex final : public MemoryIndex {
 public:
  // The `nth` read from now on fails, from 1; 0: none.
  void fail_read(int nth) { reads_left_ = nth; }
  void fail_write(int nth) { writes_left_ = nth; }
  int reads() const { return reads_; }

 protected:
  async::Task<> run_read(std::function<void(const index::View&)> work) override {
    ++reads_;
    count(reads_left_);
    co_await MemoryIndex::run_read(std::move(work));
  }
  async::Task<> run_write(std::function<void(index::Batch&)> work) override {
    count(writes_left_);
    co_await MemoryIndex::run_write(std::move(work));
  }

 private:
  static void count(int& left) {
    if (left > 0 && --left == 0) throw std::system_error(EIO, std::generic_category(), "index");
  }

  int reads_ = 0;
  int reads_left_ = 0;
  int writes_left_ = 0;
};

}  // namespace entrepot::test
