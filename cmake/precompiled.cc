// Only there so that its target has a source: what is compiled is precompiled.h.
