// Large blocks of memory for bodies under way. A connection holds one while bytes of its body are
// being read or passed on, and none while it waits; a thread keeps a few of them warm.
//
// Belongs to one thread, and outlives its blocks.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace entrepot::http {

class BlockPool {
 public:
  static constexpr std::size_t block_bytes = 256 * 1024;

  struct GiveBack {
    BlockPool* pool = nullptr;
    void operator()(char* bytes) const { pool->give_back(bytes); }
  };
  using Block = std::unique_ptr<char[], GiveBack>;

  Block take() {
    if (spare_.empty()) return Block(new char[block_bytes], GiveBack{this});
    Block block(spare_.back().release(), GiveBack{this});
    spare_.pop_back();
    return block;
  }

 private:
  static constexpr std::size_t most_spare = 8;

  void give_back(char* bytes) {
    std::unique_ptr<char[]> block(bytes);
    if (spare_.size() < most_spare) spare_.push_back(std::move(block));
  }

  std::vector<std::unique_ptr<char[]>> spare_;
};

}  // namespace entrepot::http
