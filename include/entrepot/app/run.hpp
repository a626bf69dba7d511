// The program behind main(): command line -> configuration -> object graph -> run.
#pragma once

namespace entrepot::app {

// What the process exits with; numbers of sysexits.h where they fit.
enum class ExitStatus : int {
  clean = 0,
  usage = 64,
  cannot_listen = 69,
  internal = 70,
  data_unusable = 73,  // the data directory cannot be used, or another daemon holds it
  configuration = 78,
};

// Never throws. Called once, from main.
ExitStatus run(int argc, const char* const* argv) noexcept;

}  // namespace entrepot::app
