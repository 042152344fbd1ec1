import { resolve } from "node:path";
import type { EffectiveConfig } from "../config/effective.ts";
import { BadDescriptors } from "../grpc/transcoding/http-rule.ts";
import { Transcoder } from "../grpc/transcoding/transcoder.ts";
import type { RouteSettings, TranscodeSettings } from "../proxy/route/settings.ts";
import { FileProblem, readBytes } from "./tls/file-problem.ts";

export interface DescriptorsRead {
  readonly config: EffectiveConfig;
  /** Ready for print, and so are the warnings. */
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

/** Reads the descriptor sets of all routes, relative to `folder`, and tries what the workers will do. */
export function readDescriptors(config: EffectiveConfig, folder: string): DescriptorsRead {
  const problems: string[] = [];
  const warnings: string[] = [];
  const read = (settings: TranscodeSettings, where: string): TranscodeSettings => {
    try {
      const descriptors = resolve(folder, settings.descriptors);
      const descriptorSet = new Uint8Array(readBytes(descriptors, "the descriptors"));
      const { unsupported } = new Transcoder(descriptorSet, settings.services, settings.options);
      for (const method of unsupported) {
        warnings.push(`${where}: ${method} streams its requests and cannot be called by JSON`);
      }
      return { ...settings, descriptors, descriptorSet };
    } catch (error) {
      if (!(error instanceof FileProblem || error instanceof BadDescriptors)) throw error;
      problems.push(`${where}: transcode.descriptors: ${error.message}`);
      return settings;
    }
  };
  const withSet = (route: RouteSettings, listener: string): RouteSettings =>
    route.transcode
      ? { ...route, transcode: read(route.transcode, `listener ${listener}, route ${route.name}`) }
      : route;
  const listeners = config.listeners.map((listener) => ({
    ...listener,
    routes: listener.routes?.map((route) => withSet(route, listener.settings.name)) ?? null,
  }));
  return { config: { ...config, listeners }, problems, warnings };
}
