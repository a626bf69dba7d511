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
  // `spare`: how many it keeps warm.
  BlockPool(std::size_t block_bytes, std::size_t spare)
      : block_bytes_(block_bytes), most_spare_(spare) {}

  std::size_t block_bytes() const { return block_bytes_; }

  struct GiveBack {
    BlockPool* pool = nullptr;
    void operator()(char* bytes) const { pool->give_back(bytes); }
  };
  using Block = std::unique_ptr<char[], GiveBack>;

  Block take() {
    if (spare_.empty()) return Block(new char[block_bytes_], GiveBack{this});
    Block block(spare_.back().release(), GiveBack{this});
    spare_.pop_back();
    return block;
  }

 private:
  void give_back(char* bytes) {
    std::unique_ptr<char[]> block(bytes);
    if (spare_.size() < most_spare_) spare_.push_back(std::move(block));
  }

  const std::size_t block_bytes_;
  const std::size_t most_spare_;
  std::vector<std::unique_ptr<char[]>> spare_;
};

}  // namespace entrepot::http
