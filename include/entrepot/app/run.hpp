// The program behind main(): command line -> configuration -> object graph -> run.
#pragma once

namespace entrepot::app {

// What the process exits with; numbers of sysexits.h where they fit.
enum class ExitStatus : int {
  clean = 0,
  refused = 1,  // the registry said no: not there, immutable, switched off; or some of it failed
  usage = 64,
  unreachable = 69,  // cannot listen; no daemon to talk to
  internal = 70,
  data_unusable = 73,  // the data directory cannot be used, or another daemon holds it
  try_later = 75,      // such a job runs already, it was stopped, or the registry is busy
  not_allowed = 77,
  configuration = 78,
};

// Never throws. Called once, from main.
ExitStatus run(int argc, const char* const* argv) noexcept;

}  // namespace entrepot::app
