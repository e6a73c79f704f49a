# Shortcuts for developers; each wraps a preset or a script. `make help` lists them.
.PHONY: help dev test race sim bench fmt lint golden demo image clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

dev: ## build for development and run the unit tests that need no service
	cmake --preset dev && cmake --build --preset dev && ctest --preset dev

test: ## install what the tests need, and run all of them as CI does
	scripts/test

race: ## test the threaded rooms with the thread sanitizer
	cmake --preset tsan && cmake --build --preset tsan --target atelier_store_test atelier_controllers_test atelier_apiserver_test
	for t in store controllers apiserver; do build/tsan/bin/atelier_$${t}_test --gtest_brief=1 || exit 1; done

sim: ## run a thousand simulated lives of the whole control plane
	cmake --preset release && cmake --build --preset release --target atelier_sim && build/release/bin/atelier_sim --seeds 1000

bench: ## run the measurements of docs/benchmarks.md
	tests/bench/run

fmt: ## format every source
	git ls-files '*.h' '*.cc' | xargs clang-format -i

lint: ## check the format, clang-tidy and shellcheck
	scripts/lint

golden: ## rewrite the expectations of the golden tests; read the diff before you commit it
	ATELIER_GOLDEN_REWRITE=1 ctest --preset dev -R Golden

demo: ## run scripts/demo
	scripts/demo

image: ## build the container image
	docker build -t atelier:dev .

clean: ## remove build/
	rm -rf build
