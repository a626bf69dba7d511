#include "index/journal_mark.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "entrepot/base/log.hpp"
#include "entrepot/index/journal.hpp"
#include "index/lmdb_view.hpp"

namespace entrepot::index {
namespace {

// "inode newest\n", each of 20 digits: every number there is, and always as long.
constexpr std::size_t digits = 20;
constexpr std::size_t mark_size = 2 * digits + 2;

base::UniqueFd open_mark(const std::filesystem::path& directory) {
  const auto path = directory / "journal.mark";
  base::UniqueFd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) base::throw_errno("cannot open", path.c_str());
  return file;
}

std::uint64_t inode_of(MDB_env* env) {
  mdb_filehandle_t fd{};
  check_lmdb(mdb_env_get_fd(env, &fd), "get the file");
  struct stat found{};
  if (fstat(fd, &found) != 0) base::throw_errno("fstat of the index");
  return found.st_ino;
}

std::uint64_t newest_row_in(Environment& environment) {
  const ReadTransaction txn(environment);
  return newest_change(LmdbView(txn.get(), environment.tree()));
}

// LMDB's code.
int renew(const Environment& environment) {
  WriteTransaction txn(environment);
  if (txn.begun() != MDB_SUCCESS) return txn.begun();
  LmdbBatch batch(txn.get(), environment.tree());
  try {
    renew_journal(batch);
  } catch (const WriteFailed&) {
    return batch.failure();
  }
  return txn.commit();
}

}  // namespace

JournalMark::JournalMark(const std::filesystem::path& directory, Environment& environment)
    : file_(open_mark(directory)), inode_(inode_of(environment.get())) {
  const auto newest = newest_row_in(environment);
  if (continues(newest)) return;
  // A full disk must not keep the daemon from starting: the next start tries again.
  if (const int code = renew(environment); code != MDB_SUCCESS) {
    base::log::error("journal id not renewed", {{"error", mdb_strerror(code)}});
    return;
  }
  if (newest > 0) base::log::info("journal of another index file: peers will compare", {});
  move_to(newest);
}

std::string JournalMark::text(std::uint64_t newest) const {
  std::array<char, mark_size + 1> mark;
  std::snprintf(mark.data(), mark.size(), "%020ju %020ju\n", std::uintmax_t{inode_},
                std::uintmax_t{newest});
  return {mark.data(), mark_size};
}

bool JournalMark::continues(std::uint64_t newest) const {
  std::array<char, mark_size> mark{};
  if (pread(file_.get(), mark.data(), mark.size(), 0) != ssize_t{mark_size}) return false;
  std::uint64_t inode = 0;
  std::uint64_t marked = 0;
  const char* second = mark.data() + digits + 1;
  std::from_chars(mark.data(), mark.data() + digits, inode);
  std::from_chars(second, second + digits, marked);
  return inode == inode_ && marked <= newest;
}

// A failure leaves a mark that lags, which is allowed.
void JournalMark::move_to(std::uint64_t newest) {
  const auto mark = text(newest);
  [[maybe_unused]] const auto written = pwrite(file_.get(), mark.data(), mark.size(), 0);
}

}  // namespace entrepot::index
