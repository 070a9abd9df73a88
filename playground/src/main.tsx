import { render } from "preact";
import { App } from "./app.tsx";
import { start } from "./engine/start.ts";
import "./theme.css";

start();
const root = document.getElementById("app")!;
root.replaceChildren();
render(<App />, root);
