import { mount } from "svelte";

import "./style/page.css";
import App from "./App.svelte";
import { applyTheme, storedTheme } from "./shell/theme";

applyTheme(storedTheme());
mount(App, { target: document.body });
