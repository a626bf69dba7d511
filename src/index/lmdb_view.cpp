#include "index/lmdb_view.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <stdexcept>

#include "index/keys.hpp"
#include "index/lmdb_error.hpp"

namespace entrepot::index {
namespace {

// A key as it stands in the tree: the space, then the key. On the stack: this is the hot path.
class TreeKey {
 public:
  // `key` is cut at what a key can be; callers check where that matters.
  TreeKey(Space space, base::ByteView key) : size_(1 + std::min(key.size(), max_key_bytes)) {
    bytes_[0] = static_cast<std::byte>(space);
    std::ranges::copy(key.first(size_ - 1), bytes_.begin() + 1);
  }
  MDB_val value() { return {size_, bytes_.data()}; }
  base::ByteView view() const { return {bytes_.data(), size_}; }

 private:
  std::size_t size_;
  std::array<std::byte, max_key_bytes + 1> bytes_;
};

base::ByteView view_of(const MDB_val& value) {
  return {static_cast<const std::byte*>(value.mv_data), value.mv_size};
}

bool starts_with(base::ByteView bytes, base::ByteView prefix) {
  return bytes.size() >= prefix.size() &&
         (prefix.empty() || std::memcmp(bytes.data(), prefix.data(), prefix.size()) == 0);
}

bool less(base::ByteView a, base::ByteView b) { return base::as_text(a) < base::as_text(b); }

struct CloseCursor {
  void operator()(MDB_cursor* cursor) const { mdb_cursor_close(cursor); }
};

}  // namespace

std::optional<base::ByteView> LmdbView::get(Space space, base::ByteView key) const {
  if (key.size() > max_key_bytes) return std::nullopt;
  TreeKey tree_key(space, key);
  MDB_val name = tree_key.value();
  MDB_val value{};
  const int code = mdb_get(txn_, tree_, &name, &value);
  if (code == MDB_NOTFOUND) return std::nullopt;
  check_lmdb(code, "get");
  return view_of(value);
}

void LmdbView::scan(Space space, base::ByteView prefix, base::ByteView after,
                    const std::function<Continue(base::ByteView, base::ByteView)>& visit) const {
  MDB_cursor* opened = nullptr;
  check_lmdb(mdb_cursor_open(txn_, tree_, &opened), "open cursor");
  const std::unique_ptr<MDB_cursor, CloseCursor> cursor(opened);
  const TreeKey wanted(space, prefix);
  // No key is longer than the cut, so cutting `after` neither skips nor repeats one.
  TreeKey start(space, less(prefix, after) ? after : prefix);
  MDB_val key = start.value();
  MDB_val value{};
  for (int code = mdb_cursor_get(opened, &key, &value, MDB_SET_RANGE);;
       code = mdb_cursor_get(opened, &key, &value, MDB_NEXT)) {
    if (code == MDB_NOTFOUND) return;
    check_lmdb(code, "scan");
    if (!starts_with(view_of(key), wanted.view())) return;
    const auto name = view_of(key).subspan(1);
    if (!after.empty() && !less(after, name)) continue;
    if (visit(name, view_of(value)) == Continue::no) return;
  }
}

void LmdbBatch::put(Space space, base::ByteView key, base::ByteView value) {
  if (key.size() > max_key_bytes) throw std::length_error("index key too long");
  TreeKey tree_key(space, key);
  MDB_val name = tree_key.value();
  MDB_val content{value.size(), const_cast<std::byte*>(value.data())};
  bytes_ += key.size() + value.size();
  check(write_pages([&] { return mdb_put(txn_, tree_, &name, &content, 0); }));
}

void LmdbBatch::erase(Space space, base::ByteView key) {
  if (key.size() > max_key_bytes) return;
  TreeKey tree_key(space, key);
  MDB_val name = tree_key.value();
  erases_ = true;
  const int code = write_pages([&] { return mdb_del(txn_, tree_, &name, nullptr); });
  if (code != MDB_NOTFOUND) check(code);
}

void LmdbBatch::check(int code) {
  if (code == MDB_SUCCESS) return;
  if (failure_ == 0) failure_ = code;
  throw WriteFailed();
}

}  // namespace entrepot::index
