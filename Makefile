# Shortcuts for developers; each wraps a preset or a script. `make help` lists them.
.PHONY: help dev test race sim bench fmt lint golden demo image clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

dev: ## build for development and run the unit tests that need no service
	cmake --preset dev && cmake --build --preset dev && ctest --preset dev

test: ## everything, as CI runs it
	scripts/test

race: ## the threaded parts with the thread sanitizer
	cmake --preset tsan && cmake --build --preset tsan --target atelier_store_test atelier_controllers_test atelier_apiserver_test
	for t in store controllers apiserver; do build/tsan/bin/atelier_$${t}_test --gtest_brief=1 || exit 1; done

sim: ## a thousand simulated lives of the whole control plane
	cmake --preset release && cmake --build --preset release --target atelier_sim && build/release/bin/atelier_sim --seeds 1000

bench: ## measurements, each beside what it is compared with (docs/benchmarks.md)
	tests/bench/run

fmt: ## format every source
	git ls-files '*.h' '*.cc' | xargs clang-format -i

lint: ## format check, clang-tidy, shellcheck
	scripts/lint

golden: ## rewrite the expectations of the golden tests; read the difference before you commit it
	ATELIER_GOLDEN_REWRITE=1 ctest --preset dev -R Golden

demo: ## the demonstration
	scripts/demo

image: ## the container image
	docker build -t atelier:dev .

clean: ## remove build/
	rm -rf build
