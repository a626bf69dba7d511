#include "entrepot/app/run.hpp"

int main(int argc, char** argv) { return static_cast<int>(entrepot::app::run(argc, argv)); }
