// A small file that is read again when it changes: secrets are replaced while we run.
#pragma once

#include <sys/stat.h>

#include <expected>
#include <mutex>
#include <string>

namespace entrepot::upstream {

// Thread-safe.
class WatchedFile {
 public:
  explicit WatchedFile(std::string path) : path_(std::move(path)) {}

  // At most 1 MiB. The error is a sentence naming the file.
  std::expected<std::string, std::string> text();

 private:
  std::string path_;
  std::mutex mutex_;  // guards seen_ and text_
  struct stat seen_{};
  std::string text_;
};

}  // namespace entrepot::upstream
