// Stands between this test program and the kernel at the calls that make bytes durable, and fails
// or ends the process at a chosen one. Libraries (LMDB) go through it as well.
//
// It defines the C library's functions: include it in exactly one source of a test program.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

namespace entrepot::test {

enum class Call { fdatasync, fsync, renameat2, renameat, pwrite, ftruncate };

class FaultyFiles {
 public:
  // Every `call` fails with `error` from now on.
  static void fail(Call call, int error) {
    failing_ = static_cast<int>(call);
    error_ = error;
  }
  // The process ends (status 9) just before the `nth` call of any kind from now on, from 1.
  static void die_before(int nth) { calls_left_ = nth; }
  static void clear() {
    failing_ = -1;
    calls_left_ = 0;
  }

  // 0: go on.
  static int judge(Call call) {
    if (calls_left_ > 0 && --calls_left_ == 0) _exit(9);
    return failing_ == static_cast<int>(call) ? error_.load() : 0;
  }

 private:
  static inline std::atomic<int> failing_ = -1;
  static inline std::atomic<int> error_ = 0;
  static inline std::atomic<int> calls_left_ = 0;
};

template <class... Arguments>
long judged_call(Call call, long number, Arguments... arguments) {
  if (const int error = FaultyFiles::judge(call)) {
    errno = error;
    return -1;
  }
  return ::syscall(number, arguments...);
}

}  // namespace entrepot::test

extern "C" {
int fdatasync(int fd) {
  using namespace entrepot::test;
  return static_cast<int>(judged_call(Call::fdatasync, SYS_fdatasync, fd));
}
int fsync(int fd) {
  using namespace entrepot::test;
  return static_cast<int>(judged_call(Call::fsync, SYS_fsync, fd));
}
int renameat2(int from, const char* name, int to, const char* new_name, unsigned flags) noexcept {
  using namespace entrepot::test;
  return static_cast<int>(
      judged_call(Call::renameat2, SYS_renameat2, from, name, to, new_name, flags));
}
int renameat(int from, const char* name, int to, const char* new_name) noexcept {
  using namespace entrepot::test;
  return static_cast<int>(judged_call(Call::renameat, SYS_renameat, from, name, to, new_name));
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  using namespace entrepot::test;
  return judged_call(Call::pwrite, SYS_pwrite64, fd, bytes, size, offset);
}
int ftruncate(int fd, off_t size) noexcept {
  using namespace entrepot::test;
  return static_cast<int>(judged_call(Call::ftruncate, SYS_ftruncate, fd, size));
}
}
