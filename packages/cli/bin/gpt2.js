#!/usr/bin/env node
// npm links a command only if its file is there when packages are installed, and dist is built after that.
import "../dist/main.js";
